"""docs/cookbook.md: every task is done as it says, by its own files and commands, and shows what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, User, clean_environ

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.cookbook,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("bash") is None, reason="its commands are for bash"),
]

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEAD, *SECTIONS = re.split(r"^## ", (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
TASKS = {section.partition("\n")[0]: section for section in SECTIONS}
MARK = "---8<---"


@dataclass(frozen=True)
class Kitchen:
    """A user of one server who does one task after the other, each in a folder of its own."""

    user: User

    def cook(self, task: str, words: dict[str, str] | None = None, **environ: str) -> User:
        """Type in a task's files and commands; give the user as they stand there afterwards.

        Args:
            task: Its heading.
            words: What stands for words that no test may use, such as the address of W&B's cloud.
            environ: Further variables.
        """
        folder = self.user.folder / re.sub(r"\W+", "-", task)
        folder.mkdir()
        user = replace(self.user, folder=folder, environ={**self.user.environ, **environ})
        blocks = BLOCK.findall(HEAD + TASKS[task])
        for name, text in ((re.match(r"# (\w+\.\w+)\n", text), text) for _, text in blocks):
            if name:
                user.write(name[1], text)
        shown = "".join(text for language, text in blocks if language == "console")
        commands = [line.removeprefix("$ ") for line in shown.splitlines() if line.startswith("$ ")]
        said = _type_in(user, [_with(words or {}, command) for command in commands])
        for expected, output in zip(_outputs(shown), said, strict=True):
            assert [line for line in expected if not re.search(_pattern(line), output)] == [], output
        return user


def _type_in(user: User, commands: list[str]) -> list[str]:
    """Run commands in one shell; give what each printed."""
    script = "exec 2>&1\n" + "\n".join(f"echo '{MARK}'\n{command}" for command in commands)
    shell = ["bash", "-e", "-o", "pipefail", "-c", script]
    done = subprocess.run(shell, cwd=user.folder, env=user.environ, stdout=subprocess.PIPE, text=True, timeout=200)
    assert done.returncode == 0, f"{done.stdout}\n{user.logs()}"
    return done.stdout.split(f"{MARK}\n")[1:]


def _outputs(shown: str) -> list[list[str]]:
    """Take what the page shows of each command's output."""
    return [part.splitlines()[1:] for part in re.split(r"^\$ ", shown, flags=re.MULTILINE)[1:]]


def _pattern(line: str) -> str:
    """Let `...` stand for anything, and blanks for blanks."""
    return ".*".join(r"\s+".join(re.escape(word) for word in part.split()) for part in line.split("..."))


def _with(words: dict[str, str], command: str) -> str:
    for word, other in words.items():
        command = command.replace(word, other)
    return command


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    """One server for all tasks: each begins with a sweep of its own, which is the one created last then."""
    folder, home = tmp_path_factory.mktemp("cookbook"), tmp_path_factory.mktemp("home")
    environ = clean_environ(home)
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    user = User(folder, home, environ)
    yield Kitchen(user)
    user.end()


def best_of(user: User) -> dict[str, Any]:
    """Read the best run of the sweep created last, all of whose runs have finished."""
    status = user.status()
    assert set(status["counts"]) == {"finished"}
    best: dict[str, Any] = status["best"]
    return best


def test_there_are_twelve_tasks_and_each_is_done_here() -> None:
    """A task that no test does is one that may not work."""
    done = re.findall(r'\.cook\("([^"]+)"', Path(__file__).read_text(encoding="utf-8"))
    assert sorted(done) == sorted(TASKS)
    assert len(TASKS) >= 12


def test_a_function(kitchen):
    """Four runs of a Bayesian search, the last of which learnt from the others."""
    user = kitchen.cook("Sweep a function of your own")
    assert (user.status()["done"], best_of(user)["best"] < 1) == (4, True)


def test_a_script(kitchen):
    """The script got each of its values as an argument."""
    user = kitchen.cook("Sweep a script with arguments")
    assert best_of(user)["params"] == {"learning_rate": 0.2}
    assert best_of(user)["best"] == pytest.approx((1 - 2 * 0.2) ** 4)


def test_a_crash(kitchen):
    """Each run went on from its checkpoint, under its id, and came to the end."""
    user = kitchen.cook("Go on after a crash")
    runs = user.status()["runs"]
    assert [(run["attempts"], run["state"]) for run in runs] == [(2, "finished")] * 2
    assert sorted(run["last"] for run in runs) == pytest.approx([0.8**16, 0.9**16])
    assert all(re.search(r"from epoch [1-9]", user.run("logs", run["id"]).stdout) for run in runs)


def test_early_stopping(kitchen):
    """Both bad runs ended early, with the reason."""
    user = kitchen.cook("Stop bad runs early")
    states = {run["params"]["floor"]: run["state"] for run in user.status()["runs"]}
    assert states == {0.1: "finished", 0.4: "killed", 0.5: "killed"}


def test_several_gpus(kitchen, nvml):
    """Eight runs over two places on each of two GPUs, no run on another one."""
    gpus = nvml.set("driver|570.86|12080", *(f"gpu|GPU-{name}|H100|81559|4|-|-|0" for name in ("1aaa", "2bbb")))
    user = kitchen.cook("Use several GPUs, and several runs on each", **gpus)
    slots = [run["slot"] for run in user.status()["runs"]]
    assert len(slots) == 8
    assert {slot[:4] for slot in slots} == {"gpu0", "gpu1"}


def test_a_grid_with_seeds(kitchen):
    """Each of the four combinations has run three times, with three seeds."""
    user = kitchen.cook("Try every combination, three times each")
    tried = [tuple(run["params"].values()) for run in user.status()["runs"]]
    assert (len(tried), len(set(tried))) == (12, 12)


def test_an_edit(kitchen):
    """The two new values ran, the two old ones not again."""
    user = kitchen.cook("Change a sweep that has started")
    assert sorted(run["params"]["learning_rate"] for run in user.status()["runs"]) == [0.1, 0.2, 0.3, 0.4]


def test_a_confirmation(kitchen):
    """The worst of three is told apart from the two that differ by noise alone."""
    user = kitchen.cook("Know whether the winner is luck")
    assert [one["verdict"] for one in user.status()["confirmation"]["contenders"]] == ["first", "noise", "worse"]


def test_conditional_parameters(kitchen):
    """Runs with SGD have a momentum, and no other."""
    user = kitchen.cook("Give some runs a parameter that others lack")
    params = [run["params"] for run in user.status()["runs"]]
    assert {("momentum" in one, one["optimizer"]) for one in params} == {(True, "sgd"), (False, "adam")}


def test_a_warm_start(kitchen):
    """The second sweep knows the four runs of the first, and tried the proposed value first."""
    user = kitchen.cook("Learn from an earlier sweep")
    assert user.status()["runs"][0]["params"] == {"learning_rate": 0.3}


def test_two_metrics(kitchen):
    """No width beats another in both, so all five are on the front."""
    user = kitchen.cook("Weigh two metrics against each other")
    assert len(user.status()["front"]) == 5


def test_a_table(kitchen):
    """The table has every run; history and report are there."""
    user = kitchen.cook("Put the results into a table, and into a file to send")
    assert len((user.folder / "runs.csv").read_text().splitlines()) == 4
    assert (user.folder / "rows.parquet").exists()
    assert "<svg" in (user.folder / "report.html").read_text()


def test_sync(kitchen, user):
    """Both runs arrive on another server, at a new sweep."""
    other = user.serve()
    cloud = {
        "https://api.wandb.ai": other["WANDB_BASE_URL"],
        "WANDB_API_KEY=...": f"WANDB_API_KEY={other['WANDB_API_KEY']}",
    }
    kitchen.cook("Send the results to W&B", cloud, WANDB_BASE_URL=other["WANDB_BASE_URL"])
    found = user.python(
        """
        import wandb
        [sweep] = wandb.Api().project("offline-first").sweeps()
        print(sweep.config["program"], sorted(run.state for run in wandb.Api().runs("offline-first")))
    """,
        **other,
    )
    assert found.stdout.strip() == "train:main ['finished', 'finished']"


def test_a_pipeline(kitchen):
    """It ends well, long before the fifty runs, once the target is reached."""
    user = kitchen.cook("Stop at a target, in a pipeline")
    assert user.status()["done"] < 50
