"""The node that has a run over several."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.journal.directories import LaunchDir
from sweeper.journal.failures import Kind, classify
from sweeper.journal.rank_files import RankFailure, RankFolder, RankWord
from sweeper.worker.main_thread import Raised, Returned
from sweeper.worker.rank_leader import KILL_S, REACTION_S, RankLeader, facts_of, give_order, is_echo
from sweeper.worker.spec import Slot, WorkerSpec

GLOO = "RuntimeError: [../gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:4711"
SLOT = Slot(name="gpu0", device="", threads=1)


@pytest.fixture
def spec(tmp_path) -> WorkerSpec:
    return WorkerSpec(
        sweep="e/p/s", trainer="a:b", slot=SLOT, count=None, directory=str(tmp_path), nodes=2, ranks_per_node=2
    )


@pytest.fixture
def folder(tmp_path) -> RankFolder:
    return RankFolder.of(LaunchDir(tmp_path), "gpu0", "7.0")


@pytest.fixture
def environ(tmp_path, folder) -> dict[str, str]:
    (tmp_path / "p.yaml").write_text("x: {value: 1}\n")
    return {
        "SWEEPER_RANKS": str(folder.path),
        "WANDB_RUN_ID": "r1",
        "WANDB_SWEEP_PARAM_PATH": str(tmp_path / "p.yaml"),
        "MASTER_ADDR": "127.0.0.1",
    }


@pytest.fixture
def log(tmp_path):
    log = tmp_path / "gpu0-0001.log"
    log.touch()
    return log


def conclude(leader, log, result, **more):
    return leader.conclude(result, log, **{"asked": False, "ended_for_rank": False, "grace_s": 20.0, **more})


def failure(number=1, **more) -> RankFailure:
    return RankFailure(**{"number": number, "rank": 2, "node": "n1", "exit_code": 1, "log": "/log", **more})


def test_an_order_names_all_that_another_node_needs(spec, folder, environ, log):
    """And the first rank finds itself in a world of four; each order has another number and port."""
    first = give_order(spec, environ, log, ["python", "train.py"])
    order = folder.order()
    assert (first["RANK"], first["WORLD_SIZE"], first["MASTER_PORT"]) == ("0", "4", str(order.port))
    assert (order.number, order.run_id, order.parameters) == (1, "r1", "x: {value: 1}\n")
    assert (order.command, order.address, order.log) == (("python", "train.py"), "127.0.0.1", str(log))
    assert give_order(spec, environ, log)["MASTER_PORT"] != first["MASTER_PORT"]
    assert folder.order().number == 2


def test_runs_on_one_node_have_no_ranks(spec, folder, environ, log):
    """Nothing is written, nothing is waited for."""
    one = replace(spec, nodes=1)
    assert give_order(one, environ, log) == {}
    leader = RankLeader.of(one, environ)
    leader.ask_to_end(3.0)
    assert not leader.failed(1e9)
    assert conclude(leader, log, None) is None
    assert list(folder.path.iterdir()) == []
    assert give_order(spec, {**environ, "SWEEPER_RANKS": ""}, log) == {}


def test_the_others_end_as_the_first_does(spec, folder, environ, log):
    """By themselves where it ended well; soon where it did not."""
    leader = RankLeader.of(spec, environ)
    give_order(spec, environ, log)
    leader.ask_to_end(9.0)
    assert folder.word() == RankWord(number=1, grace_s=9.0)
    assert conclude(leader, log, Returned(1.0)) is None
    assert folder.word() == RankWord(number=1, ended=True, well=True, grace_s=20.0)
    give_order(spec, environ, log)
    assert conclude(leader, log, Raised(1.0, "KeyError: 'lr'")) is None
    assert folder.word() == RankWord(number=2, ended=True, grace_s=KILL_S)


def test_a_rank_that_fails_is_heard_of_when_the_first_has_had_its_time(spec, folder, environ, log):
    """What failed in an earlier run means nothing to the next."""
    leader = RankLeader.of(spec, environ)
    give_order(spec, environ, log)
    assert not leader.failed(100.0)
    folder.tell(failure())
    assert not leader.failed(100.0)
    assert leader.failed(100.0 + REACTION_S)
    assert conclude(leader, log, Raised(1.0, "", 130), ended_for_rank=True) == failure()
    assert not leader.failed(1e9)
    give_order(spec, environ, log)
    assert not leader.failed(1e9)


def test_the_one_with_an_error_of_its_own_has_failed(spec, folder, environ, log):
    """The others only say that a process is gone; where all say so, it is the run's first rank that is told of."""
    echo, own = failure(rank=1, error=GLOO), failure(rank=3, error="KeyError: 'lr'")
    leader = RankLeader(folder, reaction_s=0.0)
    give_order(spec, environ, log)
    folder.tell(echo)
    assert conclude(leader, log, Raised(1.0, GLOO)) is None
    give_order(spec, environ, log)
    folder.tell(replace(echo, number=2))
    folder.tell(replace(own, number=2))
    assert conclude(leader, log, Raised(1.0, GLOO)) == replace(own, number=2)
    give_order(spec, environ, log)
    folder.tell(replace(own, number=3))
    assert conclude(leader, log, Raised(1.0, "ValueError: mine")) is None
    give_order(spec, environ, log)
    folder.tell(replace(own, number=4))
    assert conclude(leader, log, None, asked=True) is None


@pytest.mark.parametrize(
    ("error", "echo"),
    [
        (GLOO, True),
        ("torch.distributed.DistBackendError: NCCL error in: ...", True),
        ("ConnectionError: Connection reset by peer", True),
        ("RuntimeError: CUDA out of memory", False),
        ("KeyError: 'lr'", False),
        ("", False),
    ],
)
def test_an_echo_says_that_another_process_is_gone(error, echo):
    """Which is no cause."""
    assert is_echo(error) is echo


def test_a_failure_is_classified_by_what_its_rank_printed(tmp_path):
    """Named, with the last line of its log where that holds no error; a lost node gives the run another try."""
    log = tmp_path / "log"
    log.write_text("Traceback\nKeyError: 'lr'\n")
    found = classify(facts_of(failure(log=str(log), error="KeyError: 'lr'")))
    assert (found.kind, found.cause) == (Kind.EXCEPTION, "rank 2 on n1: KeyError: 'lr'")
    log.write_text("no such data\n")
    found = classify(facts_of(failure(log=str(log), error="no such data", exit_code=3)))
    assert found.cause == "rank 2 on n1 (its log ends with: no such data): the process exited with code 3"
    found = classify(facts_of(failure(log="")))
    assert (found.kind, found.policy.retries) == (Kind.LOST, True)
