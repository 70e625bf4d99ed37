"""Why a run ended badly, and what is done about it: a pure function of what its worker saw."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from enum import StrEnum

RETRIES = 2
WRONG_OPTIONS = 2
"""The exit code of a program that was given options it does not know, by convention."""


class Kind(StrEnum):
    """What went wrong; its value is what people read, and what is written to disk."""

    EXCEPTION = "exception"
    IMPORT = "import error"
    NAN = "no finite metric"
    GPU_MEMORY = "out of GPU memory"
    HOST_MEMORY = "out of memory"
    CRASH = "native crash"
    EXIT = "exit code"
    TIMEOUT = "timeout"
    BAD_GPU = "bad GPU"
    CONNECTION = "lost connection"
    LOST = "lost"
    PREEMPTED = "preempted"
    UNBEGUN = "no wandb.init"


class Policy(StrEnum):
    """What is done about it; its value is what people read, and what is written to disk."""

    RETRY_HERE = "retried on the same slot"
    RETRY_ELSEWHERE = "retried, on another slot if one is free"
    FAIL = "failed"
    QUARANTINE = "retried elsewhere, its slot taken out"
    STOP = "launch stopped"  # of journals that versions before this one wrote

    @property
    def retries(self) -> bool:
        """Whether the run is handed out again."""
        return self in {Policy.RETRY_HERE, Policy.RETRY_ELSEWHERE, Policy.QUARANTINE}


class EndedBy(StrEnum):
    """Why a worker ended a run itself: the exit code that follows says nothing about the run then."""

    PREEMPTION = "preemption"
    TIMEOUT = "timeout"
    RANK = "another rank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a worker saw of a run that did not end well.

    Attributes:
        exit_code: Of its process; negative for a signal.
        error: The exception that left the trainer, in one line; empty if none did.
        exited: Whether that is a call of sys.exit, whose code then is no signal's.
        unsent: Why the server may lack the end of a run whose trainer ended well; empty if it has it.
        core_killed: Whether its wandb-core was killed: whatever the trainer ended with then, it is due to that.
        unbegun: Why the server knows nothing of a run whose trainer ended well; empty if it does.
        log: The last lines of what it printed.
        ended_by: Why the worker ended it; None if it did not.
        gpu: Whether its slot has a GPU.
        earlier: What went wrong in this run's earlier attempts.
        strikes: How many runs before this one, in a row, failed on this slot for its GPU.
        retries: How often a run may be handed out again.
        lost: How the run lost its worker, which saw nothing more of it; empty if it did not.
        rank: Which rank of a run over several nodes all this is about; empty if it is the first.
    """

    exit_code: int = 0
    error: str = ""
    exited: bool = False
    unsent: str = ""
    core_killed: bool = False
    unbegun: str = ""
    log: str = ""
    ended_by: EndedBy | None = None
    gpu: bool = False
    earlier: tuple[Kind, ...] = ()
    strikes: int = 0
    retries: int = RETRIES
    lost: str = ""
    rank: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with a run, and what follows from it.

    Attributes:
        kind: What went wrong.
        cause: The same in a sentence.
        policy: What is done about it.
    """

    kind: Kind
    cause: str
    policy: Policy

    def not_retried(self, refusal: str) -> Failure:
        """Say the same of a run that the server does not hand out again, as W&B's never does."""
        return Failure(self.kind, f"{self.cause}; not retried: {refusal}", Policy.FAIL)


def classify(facts: Facts) -> Failure:
    """Say why a run failed, and what is done about it: the table of docs/launching.md, with a limit on retries.

    The limit spares preemptions: on a machine that is taken away ten times a night, no run would ever end.
    """
    kind, cause = _diagnose(facts)
    cause = f"{facts.rank}: {cause}" if facts.rank else cause
    policy = _policy(kind, cause, facts)
    if policy.retries and kind is not Kind.PREEMPTED and len(facts.earlier) >= facts.retries:
        attempts = f" (attempt {len(facts.earlier) + 1})" if facts.earlier else ""
        return Failure(kind, cause + attempts, Policy.FAIL)
    return Failure(kind, cause, policy)


_GPU_MEMORY = re.compile(r"CUDA out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED|CUDA error: out of memory")
_BAD_GPU = re.compile(
    r"CUDA error|CUDA driver|CUDA unknown error|no CUDA-capable device|No CUDA GPUs are available|fallen off the bus"
    r"|\bXid\b|\bECC\b|CUDNN_STATUS_(EXECUTION_FAILED|INTERNAL_ERROR)|NVML_ERROR|cuInit"
)
_RUNS_OWN = re.compile(r"device-side assert|illegal memory access")
"""CUDA errors that wrong indices cause far more often than broken hardware."""
_HOST_MEMORY = re.compile(
    r"std::bad_alloc|killed by signal: Killed|out of shared memory|DefaultCPUAllocator: can't alloc"
)
# what the SDK raises in the trainer when its wandb-core is gone (wandb 0.18 to 0.31)
_CONNECTION = re.compile(
    r"(MailboxClosed|HandleAbandoned|WandbServiceConnection|ServicePollForToken|WandbAttachFailed|WandbApiFailed|Comm"
    r"|ConnectionReset|ConnectionRefused|BrokenPipe)Error"
    # what the SDK (0.31) makes of a server that is away or a busy service as a run begins; a refusal is none
    r"|verify(ing)? credentials with (?!.*(\b40[13]\b|[Uu]nauthorized|API key|logged in))"
    r"|the service process is (not running|busy)"
)
_IMPORT = re.compile(r"(ModuleNotFound|Import)Error")
# Lightning (2.6), where one of a run's processes has died: it ends the others, itself too, by SIGKILL
_ENDED_ITSELF = re.compile(
    r"Child process with PID \d+ terminated with code .*Forcefully terminating all other processes"
)
_MEANINGS = {
    _GPU_MEMORY: Kind.GPU_MEMORY,  # before _BAD_GPU, whose "CUDA error" it may also say
    _HOST_MEMORY: Kind.HOST_MEMORY,
    _CONNECTION: Kind.CONNECTION,
    _IMPORT: Kind.IMPORT,
    _BAD_GPU: Kind.BAD_GPU,
}
_RAISED = r"(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Iteration)(?::.*)?"
_COMPLAINED = r"(?:[\w./-]+: )?[Ee]rror: .+"
_ERROR = re.compile(f"^(?:{_RAISED}|{_COMPLAINED})$", re.MULTILINE)
_COMPLAINT = re.compile(f"^{_COMPLAINED}$", re.MULTILINE)
"""What argparse and click say of wrong options before they exit: `train.py: error: unrecognized arguments: --lr`."""
_SHELL_CODES = {126: ": a command could not be executed", 127: ": a command was not found"}
# SIGABRT among them: glibc's and C++'s way to give up, as in a failed CHECK of a CUDA library
_CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT}


def _diagnose(facts: Facts) -> tuple[Kind, str]:
    """Name what went wrong."""
    if facts.lost:
        return Kind.LOST, facts.lost
    if facts.ended_by is EndedBy.PREEMPTION:
        return Kind.PREEMPTED, "interrupted by a stop of the launch"
    if facts.ended_by is EndedBy.TIMEOUT:
        return Kind.TIMEOUT, "took longer than --timeout"
    if facts.unbegun or facts.unsent:
        return (Kind.UNBEGUN, facts.unbegun) if facts.unbegun else (Kind.CONNECTION, facts.unsent)
    code = facts.exit_code if facts.exit_code <= 128 else 128 - facts.exit_code  # a shell's way to report a signal
    ended_itself = code == -signal.SIGKILL and _ENDED_ITSELF.search(facts.log)
    if -code in set(signal.Signals) and not facts.exited and not ended_itself:
        return _killed(signal.Signals(-code))
    kind, cause = _given_up(facts)
    lost = facts.core_killed and kind in {Kind.EXIT, Kind.EXCEPTION}
    return (Kind.CONNECTION, f"wandb-core was killed: {cause}") if lost else (kind, cause)


def _given_up(facts: Facts) -> tuple[Kind, str]:
    """Name what the trainer ended with by itself: an exception, or an exit code and what it printed before."""
    complaint, code = last_error(facts.log, _COMPLAINT), facts.exit_code
    if facts.exited:
        return Kind.EXIT, f"{facts.error}: {complaint}" if complaint and code == WRONG_OPTIONS else facts.error
    if error := facts.error or last_error(facts.log):
        return (Kind.EXIT, f"exit code {code}: {error}") if error == complaint else _raised(error, gpu=facts.gpu)
    return Kind.EXIT, f"the process exited with code {code}{_SHELL_CODES.get(code, '')}"


def _raised(error: str, *, gpu: bool) -> tuple[Kind, str]:
    """Name what an exception means, by its one line: its type is not to be had from another process."""
    for pattern, kind in _MEANINGS.items():
        if pattern.search(error) and (gpu or kind is not Kind.BAD_GPU):  # the trainer's own mistake on a CPU slot
            return kind, error
    return Kind.EXCEPTION, error


def _killed(number: signal.Signals) -> tuple[Kind, str]:
    """Name what a signal means; SIGKILL without a cause of ours is nearly always the kernel's, for lack of memory."""
    said = f"the process was ended by {number.name}"
    if number is signal.SIGKILL:
        return Kind.HOST_MEMORY, f"{said}, perhaps for lack of memory"
    if number in _CRASHES:
        return Kind.CRASH, f"{said}, a crash in native code"
    return Kind.PREEMPTED, f"{said} from outside"


def last_error(log: str, pattern: re.Pattern[str] = _ERROR) -> str:
    """Find the last error that a log ends with, in one line; empty if there is none."""
    found = pattern.findall(log)
    return found[-1].strip()[:300] if found else ""


# Retried is what another try may mend: memory that others held, a network that was away, a machine that was taken.
# What the trainer raised, it would raise again; a timeout would only take as long again.
_POLICIES = {
    Kind.EXCEPTION: Policy.FAIL,
    Kind.IMPORT: Policy.FAIL,
    Kind.NAN: Policy.FAIL,
    Kind.GPU_MEMORY: Policy.FAIL,
    Kind.HOST_MEMORY: Policy.RETRY_HERE,
    Kind.CRASH: Policy.RETRY_ELSEWHERE,
    Kind.EXIT: Policy.FAIL,
    Kind.TIMEOUT: Policy.FAIL,
    Kind.BAD_GPU: Policy.QUARANTINE,
    Kind.CONNECTION: Policy.RETRY_HERE,
    Kind.LOST: Policy.RETRY_ELSEWHERE,
    Kind.PREEMPTED: Policy.RETRY_HERE,
    Kind.UNBEGUN: Policy.FAIL,
}


def _policy(kind: Kind, cause: str, facts: Facts) -> Policy:
    """Decide what is done; the same thing twice is the run's own fault."""
    if kind is Kind.GPU_MEMORY and _held_by_others(cause):
        return Policy.RETRY_ELSEWHERE
    # the same on another try, which was elsewhere if a slot was free: not the slot's fault
    if kind in {Kind.CRASH, Kind.BAD_GPU} and kind in facts.earlier:
        return Policy.FAIL
    # a second run in a row that fails so on one slot is no coincidence: then it is the GPU
    if kind is Kind.BAD_GPU and _RUNS_OWN.search(cause) and not facts.strikes:
        return Policy.RETRY_ELSEWHERE
    return _POLICIES[kind]


def _held_by_others(cause: str) -> bool:
    """Read from PyTorch's message (2.x) whether this process held less than half of the GPU's memory."""
    capacity = re.search(r"total capacity of ([\d.]+) ([MG])iB", cause)
    own = re.search(r"this process has ([\d.]+) ([MG])iB", cause)
    if capacity is None or own is None:
        return False
    mib = [float(found[1]) * (1024 if found[2] == "G" else 1) for found in (own, capacity)]
    return mib[0] < mib[1] / 2
