"""Why a run failed, and what is done about it: the table of docs/launching.md, case by case."""

from __future__ import annotations

import pytest

from sweeper.journal.failures import EndedBy, Facts, Kind, Policy, classify, last_error

OOM = (
    "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 39.39 GiB of "
    "which 1.00 GiB is free. Including non-PyTorch memory, this process has {own} memory in use."
)
ASSERT = "RuntimeError: CUDA error: device-side assert triggered"
ECC = "RuntimeError: CUDA error: uncorrectable ECC error encountered"

UNVERIFIED = "verify credentials with http://127.0.0.1:8080"
AWAY = "An error occurred while verifying credentials with http://127.0.0.1:8080"
BUSY = "Failed to execute API request: the service process is busy and did not respond in time."
DEAD = "Failed to initialize API resources: the service process is not running."
FORCED = (
    "[rank: 1] Child process with PID 7 terminated with code 1. Forcefully terminating all other processes to avoid"
)


@pytest.mark.parametrize(
    ("facts", "kind", "policy", "cause"),
    [
        (Facts(error="ValueError: no"), Kind.EXCEPTION, Policy.FAIL, "ValueError: no"),
        (
            Facts(rank="rank 1 on n1", exit_code=3),
            Kind.EXIT,
            Policy.FAIL,
            "rank 1 on n1: the process exited with code 3",
        ),
        (Facts(rank="rank 1 on n1", lost="it is gone"), Kind.LOST, Policy.RETRY_ELSEWHERE, "rank 1 on n1: it is gone"),
        (Facts(error="ModuleNotFoundError: No module named 'x'"), Kind.IMPORT, Policy.FAIL, "No module"),
        (Facts(error=OOM.format(own="38.1 GiB")), Kind.GPU_MEMORY, Policy.FAIL, "CUDA out of memory"),
        (Facts(error=OOM.format(own="512.00 MiB")), Kind.GPU_MEMORY, Policy.RETRY_ELSEWHERE, "CUDA out of memory"),
        (Facts(exit_code=-9), Kind.HOST_MEMORY, Policy.RETRY_HERE, "SIGKILL, perhaps for lack of memory"),
        (Facts(exit_code=137), Kind.HOST_MEMORY, Policy.RETRY_HERE, "SIGKILL"),
        (
            Facts(error="RuntimeError: DataLoader worker (pid 7) is killed by signal: Killed."),
            Kind.HOST_MEMORY,
            Policy.RETRY_HERE,
            "DataLoader",
        ),
        # Lightning kills all processes of a run when one of them fails: what that one printed is the cause
        (Facts(exit_code=-9, log=f"KeyError: 'lr'\n{FORCED}\n"), Kind.EXCEPTION, Policy.FAIL, "KeyError: 'lr'"),
        (Facts(exit_code=137, log=f"ranks: error: no\n{FORCED}\n"), Kind.EXIT, Policy.FAIL, "error: no"),
        (Facts(exit_code=-9, log=FORCED), Kind.EXIT, Policy.FAIL, "code -9"),
        (Facts(exit_code=-11), Kind.CRASH, Policy.RETRY_ELSEWHERE, "SIGSEGV, a crash in native code"),
        (Facts(exit_code=-11, earlier=(Kind.CRASH,)), Kind.CRASH, Policy.FAIL, "SIGSEGV"),
        (Facts(exit_code=3), Kind.EXIT, Policy.FAIL, "code 3"),
        (Facts(exit_code=1, log="x\nKeyError: 'lr'\nwandb: bye"), Kind.EXCEPTION, Policy.FAIL, "KeyError: 'lr'"),
        (Facts(exit_code=127), Kind.EXIT, Policy.FAIL, "code 127: a command was not found"),
        (
            Facts(exit_code=2, log="usage\nt.py: error: no --lr\n"),
            Kind.EXIT,
            Policy.FAIL,
            "code 2: t.py: error: no --lr",
        ),
        (
            Facts(exit_code=2, error="sys.exit(2)", exited=True, log="t: error: x"),
            Kind.EXIT,
            Policy.FAIL,
            "): t: error: x",
        ),
        (Facts(exit_code=-9, error="sys.exit(-9)", exited=True), Kind.EXIT, Policy.FAIL, "sys.exit(-9)"),
        (Facts(exit_code=137, error="sys.exit(137)", exited=True), Kind.EXIT, Policy.FAIL, "sys.exit(137)"),
        (Facts(unbegun="the function returned without it"), Kind.UNBEGUN, Policy.FAIL, "without it"),
        (Facts(exit_code=-15), Kind.PREEMPTED, Policy.RETRY_HERE, "SIGTERM from outside"),
        (Facts(exit_code=143, ended_by=EndedBy.PREEMPTION), Kind.PREEMPTED, Policy.RETRY_HERE, "stop of the launch"),
        (Facts(exit_code=-9, ended_by=EndedBy.TIMEOUT), Kind.TIMEOUT, Policy.FAIL, "--timeout"),
        *[
            (Facts(error=error), Kind.CONNECTION, Policy.RETRY_HERE, error)
            for error in (
                "HandleAbandonedError",
                "MailboxClosedError",
                "WandbServiceConnectionError: closed",
                "ServicePollForTokenError: wandb-core exited with code -9",
                "WandbAttachFailedError: the service process is not running",
                "WandbApiFailedError: the service process is not running",
                "CommError: Run initialization has timed out",
                "ConnectionResetError: Connection lost",
                "ConnectionRefusedError: [Errno 111]",
                "BrokenPipeError: [Errno 32] Broken pipe",
            )
        ],
        # whatever a run ends with whose wandb-core was killed, without a word or with any
        (Facts(exit_code=255, core_killed=True), Kind.CONNECTION, Policy.RETRY_HERE, "wandb-core was killed: the proc"),
        (Facts(exit_code=247, core_killed=True), Kind.CONNECTION, Policy.RETRY_HERE, "code 247"),
        (
            Facts(exit_code=-9, error="sys.exit(-9)", exited=True, core_killed=True),
            Kind.CONNECTION,
            Policy.RETRY_HERE,
            "-9",
        ),
        (Facts(error="RuntimeError: cannot log", core_killed=True), Kind.CONNECTION, Policy.RETRY_HERE, "cannot log"),
        (Facts(error=OOM.format(own="38.1 GiB"), core_killed=True), Kind.GPU_MEMORY, Policy.FAIL, "CUDA out of memory"),
        (Facts(exit_code=-11, core_killed=True), Kind.CRASH, Policy.RETRY_ELSEWHERE, "SIGSEGV"),
        (Facts(unsent="it did not reach the server"), Kind.CONNECTION, Policy.RETRY_HERE, "did not reach"),
        (Facts(unsent="x", ended_by=EndedBy.PREEMPTION), Kind.PREEMPTED, Policy.RETRY_HERE, "stop of the launch"),
        # and with wandb-core alive it is the trainer's own
        (Facts(exit_code=255), Kind.EXIT, Policy.FAIL, "the process exited with code 255"),
        (Facts(exit_code=255, log="ConnectionResetError: x\n"), Kind.CONNECTION, Policy.RETRY_HERE, "ConnectionReset"),
        (Facts(exit_code=255, log="KeyError: 'lr'\n"), Kind.EXCEPTION, Policy.FAIL, "KeyError: 'lr'"),
        (Facts(exit_code=255, error="sys.exit(255)", exited=True), Kind.EXIT, Policy.FAIL, "sys.exit(255)"),
        (Facts(error=f"AuthenticationError: {AWAY}:"), Kind.CONNECTION, Policy.RETRY_HERE, "credentials"),
        (Facts(error=f"AuthenticationError: Failed to {UNVERIFIED}: EOF"), Kind.CONNECTION, Policy.RETRY_HERE, "EOF"),
        (Facts(error=f"x.SomeError: {BUSY}"), Kind.CONNECTION, Policy.RETRY_HERE, "is busy"),
        (Facts(error=f"x.SomeError: {DEAD}"), Kind.CONNECTION, Policy.RETRY_HERE, "not running"),
        (Facts(exit_code=1, log=f"x.AuthenticationError: {AWAY}: z"), Kind.CONNECTION, Policy.RETRY_HERE, "verifying"),
        *(
            (Facts(error=f"AuthenticationError: Failed to {UNVERIFIED}: {why}"), Kind.EXCEPTION, Policy.FAIL, why)
            for why in ("401: no", "HTTP 403", "Unauthorized", "invalid API key", "user is not logged in")
        ),
        (Facts(error=ECC, gpu=True), Kind.BAD_GPU, Policy.QUARANTINE, "ECC"),
        (Facts(error="RuntimeError: No CUDA GPUs are available", gpu=True), Kind.BAD_GPU, Policy.QUARANTINE, "No CUDA"),
        (Facts(error="RuntimeError: No CUDA GPUs are available"), Kind.EXCEPTION, Policy.FAIL, "No CUDA"),
        (Facts(error=ECC, gpu=True, earlier=(Kind.BAD_GPU,)), Kind.BAD_GPU, Policy.FAIL, "ECC"),
        (Facts(error=ASSERT, gpu=True), Kind.BAD_GPU, Policy.RETRY_ELSEWHERE, "assert"),
        (Facts(error=ASSERT, gpu=True, strikes=1), Kind.BAD_GPU, Policy.QUARANTINE, "assert"),
    ],
)
def test_every_failure_has_its_kind_cause_and_policy(facts, kind, policy, cause):
    """What the worker saw decides, and nothing else."""
    failure = classify(facts)
    assert (failure.kind, failure.policy) == (kind, policy)
    assert cause in failure.cause


def test_a_run_is_not_handed_out_for_ever():
    """After its retries a run has failed; preemptions do not count, for they are nobody's fault."""
    assert classify(Facts(exit_code=-9, earlier=(Kind.LOST,), retries=2)).policy is Policy.RETRY_HERE
    last = classify(Facts(exit_code=-9, earlier=(Kind.LOST, Kind.HOST_MEMORY), retries=2))
    assert last.policy is Policy.FAIL
    assert "attempt 3" in last.cause
    assert classify(Facts(ended_by=EndedBy.PREEMPTION, earlier=(Kind.LOST,) * 9)).policy is Policy.RETRY_HERE


def test_a_lost_run_is_handed_out_again_as_often_as_any_other():
    """A run whose worker or launch died obeys the same table and the same limit; its process is not known to be bad."""
    first = classify(Facts(lost="its worker died", retries=1))
    assert (first.kind, first.cause, first.policy) == (Kind.LOST, "its worker died", Policy.RETRY_ELSEWHERE)
    second = classify(Facts(lost="its worker died", earlier=(first.kind,), retries=1))
    assert (second.cause, second.policy) == ("its worker died (attempt 2)", Policy.FAIL)


def test_what_the_server_does_not_hand_out_again_has_failed():
    """The cause stays, and the server's words follow it."""
    failure = classify(Facts(exit_code=-9)).not_retried("W&B gives a run out once")
    assert failure.policy is Policy.FAIL
    assert failure.cause.startswith("the process was ended by SIGKILL")
    assert failure.cause.endswith("; not retried: W&B gives a run out once")


@pytest.mark.parametrize("kind", list(Kind))
def test_no_kind_is_without_a_policy(kind):
    """A new kind of failure cannot be forgotten."""
    from sweeper.journal.failures import _POLICIES

    assert kind in _POLICIES


def test_the_last_exception_of_a_log_is_found():
    """A chain of exceptions ends with the one that left the program."""
    log = "Traceback\nKeyError: 'a'\n\nDuring handling ...\n  raise X\nmy.pkg.BadError: two words\nwandb: synced\n"
    assert last_error(log) == "my.pkg.BadError: two words"
    assert last_error("all is well") == ""
