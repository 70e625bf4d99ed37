"""A launch before its start: what is checked, what is taken up again, where it will write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper import __version__, private_files
from sweeper.backend import embedded_server, sdk_releases
from sweeper.backend.sdk import speaks_sweeper
from sweeper.definition import interpreter
from sweeper.definition.trainer_check import settle
from sweeper.errors import LaunchError, NothingLeftError
from sweeper.journal.attempt import Attempt
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.launch import sweep_scheduler
from sweeper.launch.recovery import recover_sweep
from sweeper.ref import SweepRef
from sweeper.results.outlook import what_gives_more, why_over
from sweeper.results.status import SweepStatus
from sweeper.results.status_reader import StatusReader
from sweeper.run import SweepState
from sweeper.settings import Backend, Settings
from sweeper.worker.spec import Rules, Slot, WorkerSpec

SECRETS = frozenset({"WANDB_API_KEY"})
"""What stands in no file of a launch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """How workers on other machines find what those of this one inherit.

    Attributes:
        user: The environment that they find there, whoever brings it: the scheduler, a login shell.
        server: The data directory of the server that they follow; None where their environment names it.
        nodes: Nodes that each run takes.
        ranks_per_node: Processes of a run on each of several nodes.
    """

    user: Mapping[str, str]
    server: Path | None = None
    nodes: int = 1
    ranks_per_node: int = 1

    def orders(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """Fill the fields of a `WorkerSpec` that those of this machine do without.

        Args:
            environ: The environment of workers as it would be here; no key of it is written down.
        """
        named = {"WANDB_BASE_URL"} if self.server else set()
        differs = {name: value for name, value in environ.items() if self.user.get(name) != value}
        return {
            "environ": {name: value for name, value in differs.items() if name not in SECRETS | named},
            "server": str(self.server) if self.server else "",
            "version": __version__,
            "nodes": self.nodes,
            "ranks_per_node": self.ranks_per_node,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A launch, prepared: nothing has been started.

    Attributes:
        ref: The sweep.
        trainer: `package.module:function`, or a script.
        script: Whether it is a script.
        slots: Where its runs go.
        directory: What its workers write to.
        count: Runs over all slots; None for as many as the sweep has.
        rules: What it does about runs that fail or take too long.
        environ: The workers' environment.
        before: The sweep as it was.
        recovered: Runs of killed launches that were handed out again.
        scheduler: Whether the sweep has a scheduler of its own, which this launch starts where none is at work.
        needs: Files and folders of this machine without which it cannot go on.
        varied: The parameters of which the sweep has several values.
        why: Who chose the trainer, in words.
        python: The Python that starts its scripts; empty for sweeper's own.
        away: How its workers on other machines find what they need; None for workers of this one.
        group: The group of workers, on whatever machines, whose runs the server counts up to `count`; empty where this
            launch counts its own.
    """

    ref: SweepRef
    trainer: str
    script: bool
    slots: tuple[Slot, ...]
    directory: LaunchDir
    count: int | None
    rules: Rules
    environ: Mapping[str, str]
    before: SweepStatus
    recovered: tuple[Attempt, ...] = ()
    scheduler: bool = False
    needs: tuple[Path, ...] = ()
    varied: tuple[str, ...] = ()
    why: str = ""
    python: str = ""
    away: Away | None = None
    group: str = ""

    def worker_spec(self, slot: Slot) -> WorkerSpec:
        """Write the orders of a slot's worker."""
        return WorkerSpec(
            sweep=self.ref.path,
            trainer=self.trainer,
            script=self.script,
            slot=slot,
            count=self.count,
            directory=str(self.directory.path),
            rules=self.rules,
            varied=self.varied,
            **(self.away.orders(self.environ) if self.away else {}),
            group=self.group,
        )


def prepare_launch(
    reader: StatusReader,
    *,
    settings: Settings,
    backend: Backend,
    slots: Sequence[Slot],
    trainer: str | None = None,
    python: str | None = None,
    count: int | None = None,
    rules: Rules | None = None,
    away: Away | None = None,
    group: str = "",
) -> Launch:
    """Check that the sweep can run, take up what a killed launch left behind, and make the launch's directory.

    Raises:
        LaunchError: The sweep has ended, it has no target to stop at, WANDB_MODE keeps runs from the server, its
            scheduler cannot work here, or the SDK cannot tell the server whose runs to count.
        TrainerError: There is no such trainer.
    """
    rules = (rules or Rules()).heeding(settings.environ)
    status = reader.read()
    env = backend.environ(settings.environ)
    _check_mode(env, backend)
    _check_target(reader.ref, status, rules)
    definition = reader.definition
    assert definition is not None  # noqa: S101 it has been read
    starts_scheduler = definition.scheduler is not None and speaks_sweeper(backend)
    if definition.scheduler and starts_scheduler and not status.search.scheduler_at_work:
        sweep_scheduler.check(definition.scheduler)
    env = interpreter.chosen(python, env)
    if group and count is not None:
        _check_headers(env)
    choice = settle(definition, trainer, env)
    recovered = recover_sweep(reader.ref, reader.directory, status.runs, retries=rules.retries)
    directory = reader.directory.new_launch()
    if recovered:  # a sweep whose last run was lost has ended for the server until that run waits again
        status = reader.read()
    _check_open(reader.ref, status)
    return Launch(
        ref=reader.ref,
        trainer=choice.target,
        why=choice.why,
        python=env.get(interpreter.PYTHON, ""),
        script=choice.command is not None,
        slots=tuple(slots),
        directory=directory,
        count=count,
        rules=rules,
        environ=_worker_environ(interpreter.for_runs(env, directory.bin), reader.directory),
        before=status,
        recovered=tuple(recovered),
        scheduler=starts_scheduler,
        # where a server goes from node to node, its database does, too
        needs=(directory.path, *([] if away and away.server else _data_of(backend, settings))),
        varied=tuple(definition.space.searched),
        away=away,
        group=group,
    )


def _data_of(backend: Backend, settings: Settings) -> list[Path]:
    """Name what is there as long as the data of our own server are, wherever it keeps its database."""
    data = embedded_server.data_dir(settings.home)
    return [embedded_server.key_file(data)] if backend.kind == "local" else []


def _check_mode(env: Mapping[str, str], backend: Backend) -> None:
    """Refuse a WANDB_MODE in which the SDK sends nothing: the sweep would wait for its first run for ever."""
    if (mode := env.get("WANDB_MODE")) in {"offline", "disabled", "dryrun"}:
        fix = "unset WANDB_MODE, or take the embedded server, which needs no network: --backend local"
        raise LaunchError(f"WANDB_MODE is {mode}: no run would reach {backend.base_url}", fix)


def _check_headers(env: Mapping[str, str]) -> None:
    """Refuse an SDK that cannot say for which group its run counts: it would be given one run after the other."""
    for version in filter(None, [sdk_releases.installed(), env.get(interpreter.SDK)]):
        if not sdk_releases.reads_headers(version):
            why = f"wandb {version} cannot tell the server for whom its runs count, which --count over machines takes"
            raise LaunchError(why, "take another release (0.18, or 0.21 and newer), or leave out --count")


def _check_target(ref: SweepRef, status: SweepStatus, rules: Rules) -> None:
    if rules.stop_at_target and status.facts.target is None:
        raise LaunchError(f"sweep {ref} has no target to stop at", "give its file a `target:` under `metric:`")


def _check_open(ref: SweepRef, status: SweepStatus) -> None:
    """Refuse a sweep that gives no more runs: its workers would end at once."""
    state, made = status.facts.state, status.progress
    if state is SweepState.CANCELED:
        raise LaunchError(f"sweep {ref} is canceled, and that is for good", "create another one: sweeper create FILE")
    if why := why_over(status):
        what = "is finished" if state is SweepState.FINISHED else "has no run left to give"
        raise NothingLeftError(f"sweep {ref} {what}: {why}", what_gives_more(status), status.facts.url)
    if state is SweepState.FINISHED:
        done = f"{made.done} of its {made.total} runs are done" if made.total else f"{made.done} runs are done"
        again = f"open it again: sweeper resume {ref.quoted}"
        raise NothingLeftError(f"sweep {ref} was stopped: {done}", again, status.facts.url)


def _worker_environ(env: Mapping[str, str], directory: SweepDir) -> dict[str, str]:
    """Complete the environment of workers and runs; what the user has set stays."""
    env = {"WANDB_QUIET": "true", "WANDB_DIR": str(directory.wandb), **env}  # quiet: the log is the trainer's
    private_files.make_folder(directory.wandb)
    Path(env["WANDB_DIR"]).mkdir(parents=True, exist_ok=True)  # or the SDK writes to a temporary one (wandb 0.31)
    return env
