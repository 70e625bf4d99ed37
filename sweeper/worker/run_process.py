"""Inside the process of one run: pin, redirect, load the trainer, wait for the slot, let the agent call it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sweeper.backend import sdk_releases
from sweeper.backend.said_why import HEADERS
from sweeper.definition import interpreter
from sweeper.errors import BackendError, SweeperError, TrainerError
from sweeper.journal.attempt import COUNT_HEADER, HOLDER_HEADER, SLOT_HEADER
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.processes import die_with_parent
from sweeper.ref import RunRef, SweepRef
from sweeper.settings import Settings, private_setting, read_private
from sweeper.worker import users_folder
from sweeper.worker.main_thread import MainThread, Report, call_in_thread
from sweeper.worker.script_host import host_script, script_pid
from sweeper.worker.spec import WorkerSpec
from sweeper.worker.trainer_import import Trainer, load_trainer

if TYPE_CHECKING:
    from sweeper.backend.current_run import CurrentRun
    from sweeper.worker.run_witness import RunWitness

CHECKPOINTS = "SWEEPER_CHECKPOINT_DIR"
FLUSH_INTERVAL = "WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL"
FLUSH_S = "0.01"
"""Seconds until a row that was logged is in the transaction log, where no kill reaches it; wandb-core's own (0.31) are
15, and before 0.31 it wrote 32 KiB at a time."""
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that wait until a run's process can answer them: its worker starts it with them blocked."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The trainer is loaded; the process waits to be let in."""


@dataclass(frozen=True, slots=True)
class SetupFailed:
    """There is no trainer to call; no run was taken."""

    error: str


@dataclass(frozen=True, slots=True)
class Idle:
    """The process has done with a run and can host another one."""


Message = Report | Ready | SetupFailed | Idle


def run_process(spec: WorkerSpec, log: str, holder: str, worker: Connection) -> None:
    """Prepare everything, wait to be let in, take one run from the server and call the trainer on it.

    Args:
        spec: The worker's orders.
        log: Where to write what the run prints.
        holder: Its name for the server.
        worker: Where to report; a message from there lets this process in.
    """
    for number in ENDING:  # a fork has its worker's handlers
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    die_with_parent()
    redirect(Path(log))  # first of all: what importing the trainer prints, or dies of, belongs to its log
    # before the first call of CUDA, which reads its device here
    os.environ.update(environ_of(spec, os.environ, holder))  # noqa: TID251

    def refuse(error: str) -> None:
        worker.send(SetupFailed(error))
        os._exit(0)  # what is being imported trains: it would go on for hours

    try:
        if not spec.script:
            users_folder.come_first()
        trainer = None if spec.script else load_trainer(spec.trainer, on_run=refuse)
    except TrainerError as error:
        worker.send(SetupFailed(": ".join(filter(None, [error.message, error.hint]))))
        return
    # here, for the worker imports this module to name this function, and does without pydantic and the SDK
    from sweeper.backend import agents, sdk, sdk_shortcuts
    from sweeper.backend.current_run import CurrentRun

    worker.send(Ready())  # what ends this process from here on is not the trainer
    sdk_shortcuts.look_for_core_often()
    sdk.warm_up()  # what takes seconds is done while the run before still trains
    try:
        worker.recv()
    except EOFError:  # the worker is gone, or has no run for us
        return
    ref = SweepRef.parse(spec.sweep)
    if trainer is None:
        complete = partial(_or_end, worker, _enter_script, spec)
        host_script(lambda: agents.run_script(ref, cut_off=_leave_without_script), tell=worker.send, enter=complete)
        return
    current = CurrentRun()
    current.watch()
    if not spec.rules.isolated:
        _host_all(spec, ref, trainer, worker, current)
        return
    host = MainThread(trainer, tell=worker.send, mark_preempting=current.mark_preempting, finish=current.finish)
    agent = partial(_run_agent, ref, current=current, again=False)
    host.run(agent, partial(_or_end, worker, _enter, spec))


def _host_all(spec: WorkerSpec, ref: SweepRef, trainer: Trainer, worker: Connection, current: CurrentRun) -> None:
    """Host run after run in this process, each in the thread of a stock agent."""
    enter = partial(_or_end, worker, _enter, spec)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, which the agent knows
    while True:
        call = partial(call_in_thread, trainer, enter=enter, tell=worker.send, finish=current.finish)
        _run_agent(ref, call, current=current, again=True)
        worker.send(Idle())
        try:
            holder = worker.recv()
        except EOFError:
            return
        # a run that is tried again is another attempt's, also where that is at home in the same process
        os.environ.update(_headers(os.environ, holder, {}))  # noqa: TID251 the SDK has no other way to be told


def _run_agent(ref: SweepRef, function: Callable[[], object], *, current: CurrentRun, again: bool) -> None:
    """Take one run and call the function on it; `again` if this process will do so another time."""
    from sweeper.backend import agents, sdk_shortcuts

    with sdk_shortcuts.one_core(function, at_end=again, ended_with=lambda: current.exit_code) as call:
        agents.run_agent(ref, call, asks_no_more=_leave)


def _leave(well: bool) -> None:
    """End this process, whose agent has no run and will get none: nothing is left to be sent."""
    sys.stdout.flush()
    os._exit(0 if well else 1)


def _leave_without_script() -> None:
    """End this process, whose agent will get no run, if it has got none yet."""
    if script_pid() is None:
        _leave(False)


def environ_of(spec: WorkerSpec, environ: Mapping[str, str], holder: str) -> dict[str, str]:
    """Say what the process of a run finds in its environment, beside what is there.

    Args:
        spec: The worker's orders.
        environ: What is there.
        holder: Its name for the server.
    """
    joint = {COUNT_HEADER: " ".join(filter(None, [spec.group, str(spec.count or "")]))} if spec.group else {}
    return {
        # what the run starts finds the user's modules too: scripts have only their own folder on the path
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), environ.get("PYTHONPATH")])),
        "PATH": interpreter.path_of_runs(environ),  # the agent starts scripts with `python`
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # nvidia-smi's order, not "fastest first"
        "CUDA_VISIBLE_DEVICES": spec.slot.device,
        **_headers(environ, holder, {SLOT_HEADER: spec.slot.name, **joint}),
        FLUSH_INTERVAL: environ.get(FLUSH_INTERVAL) or FLUSH_S,
    }


def _headers(environ: Mapping[str, str], holder: str, more: Mapping[str, str]) -> dict[str, str]:
    """Set the headers that the SDK sends along, with the holder of a run and more; the user's own stay.

    A run of an SDK that cannot be given any is known to the server by when its process began, as stock agents' are.
    """
    versions = filter(None, [sdk_releases.installed(), environ.get(interpreter.SDK)])
    if not all(map(sdk_releases.reads_headers, versions)):
        return {}
    own = json.loads(read_private(environ, HEADERS) or "{}")
    return private_setting(HEADERS, json.dumps({**own, HOLDER_HEADER: holder, **more}))


def redirect(log: Path) -> None:
    """Send what this process prints, in Python and in C, to a log."""
    # descriptors, not sys.stdout: CUDA, NCCL and children write past Python
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(descriptor, stream.fileno())
    os.close(descriptor)


def _or_end(worker: Connection, enter: Callable[..., RunWitness], *arguments: object) -> RunWitness:
    """Enter a run; end this process, whatever the agent makes of it, if the run is none that may be trained."""
    try:
        return enter(*arguments)
    except SweeperError as error:
        worker.send(SetupFailed(error.message))
        os._exit(1)


def _enter(spec: WorkerSpec) -> RunWitness:
    """Make the run's checkpoint directory known; if there is something in it, the run's curve goes on."""
    from sweeper.backend import sdk

    # set by the agent for this run
    run_id, parameters = os.environ["WANDB_RUN_ID"], os.environ["WANDB_SWEEP_PARAM_PATH"]  # noqa: TID251
    folder = _checkpoints(spec, run_id)
    os.environ[CHECKPOINTS] = str(folder)  # noqa: TID251
    if any(folder.iterdir()):
        sdk.resume()
    return _witness(spec, run_id, parameters, "the function returned")


def _enter_script(spec: WorkerSpec, environ: dict[str, str]) -> RunWitness:
    """Do the same for a script, whose SDK reads its environment itself."""
    run_id = environ["WANDB_RUN_ID"]
    folder = _checkpoints(spec, run_id)
    environ[CHECKPOINTS] = str(folder)
    if any(folder.iterdir()):
        environ.setdefault("WANDB_RESUME", "allow")
    return _witness(spec, run_id, environ["WANDB_SWEEP_PARAM_PATH"], "the script ended")


def _witness(spec: WorkerSpec, run_id: str, parameters: str, what: str) -> RunWitness:
    from sweeper.worker.run_witness import RunWitness

    directory = SweepDir.of_launch(LaunchDir(Path(spec.directory)))
    return RunWitness(SweepRef.parse(spec.sweep).run(run_id), what, Path(parameters), directory.wandb)


def _checkpoints(spec: WorkerSpec, run_id: str) -> Path:
    folder = SweepDir.of_launch(LaunchDir(Path(spec.directory))).checkpoints_of(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def set_run_state(
    run: RunRef, state: Literal["pending", "failed"], reason: str, holder: str, worker: Connection
) -> None:
    """Ask the server to hand a run out again (`pending`) or to end it (`failed`); answer with why it does not.

    First it is sent what the dead process had logged and not sent: the next one goes on behind that.

    Args:
        run: The run.
        state: What is to become of it.
        reason: Why.
        holder: The name of its process, which has ended.
        worker: Where to answer.
    """
    from sweeper.backend import run_orders, unsent_rows

    die_with_parent()
    settings = Settings.from_env()
    unsent_rows.deliver(run, Path(settings.environ.get("WANDB_DIR", ".")), holder=holder, settings=settings)
    try:
        run_orders.set_state(run, state, reason)
    except BackendError as error:
        worker.send(error.message)
    else:
        worker.send("")


def run_state(run: RunRef, worker: Connection) -> None:
    """Ask the server for the state of a run; answer with nothing if it cannot tell.

    Args:
        run: The run.
        worker: Where to answer.
    """
    from sweeper.backend import sdk

    die_with_parent()
    worker.send(sdk.run_state(run))
