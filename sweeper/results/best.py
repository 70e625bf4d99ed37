"""The best run of a sweep: what it was, and its config, metrics and model as files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper.backend import run_reader
from sweeper.errors import ResultError, SweeperError
from sweeper.ref import RunRef, SweepRef
from sweeper.results.onnx_check import ModelFile, check_model
from sweeper.results.status import RunStatus, SweepStatus
from sweeper.results.table_files import replacing
from sweeper.run import Goal

Read = Callable[[RunRef], tuple[Mapping[str, Any], Mapping[str, Any]]]
Fetch = Callable[[RunRef, tuple[str, ...], Path], Sequence[Path]]
MODEL_SUFFIXES = (".onnx", ".onnx.data")
"""The second holds the weights where an exporter left them outside the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The run with the best value of the metric that any run ever logged, or one that was chosen by id.

    Attributes:
        sweep: `entity/project/id`.
        run: Its id.
        name: Its display name.
        state: Where it is in its life; a run that goes on may have no model yet.
        metric: What the sweep optimises; empty if it has several metrics.
        goal: In which direction.
        value: Its best logged value, which need not be its last; None if it has several metrics, or logged none.
        last: Its last one.
        values: Its last value of each of several metrics.
        params: The parameters that the sweep varies, flat.
        config: All of its parameters.
        summary: Its last logged values, and what it wrote into its summary; without pictures, tables and histograms.
    """

    sweep: str
    run: str
    name: str
    state: str
    metric: str
    goal: Goal
    value: float | None
    last: float | None
    values: Mapping[str, float]
    params: Mapping[str, Any]
    config: Mapping[str, Any]
    summary: Mapping[str, Any]


def find_best(status: SweepStatus, ref: SweepRef, *, run: str | None = None, read: Read = run_reader.read_run) -> Best:
    """Ask the server for the config and summary of the best run.

    Args:
        status: The sweep.
        ref: Its name.
        run: The id of a run to take instead of the best.
        read: What gives a run's config and summary; by default the SDK.

    Raises:
        ResultError: The sweep optimises nothing or several metrics, no run has logged its metric yet, or it has no such
            run.
        BackendError: The server does not answer.
    """
    chosen = _best_of(status, ref) if run is None else next((known for known in status.runs if known.id == run), None)
    if chosen is None:
        raise ResultError(f"sweep {ref} has no run {run}", f"`sweeper status {ref.quoted}` lists its runs")
    config, summary = read(ref.run(chosen.id))
    return Best(
        sweep=ref.path,
        run=chosen.id,
        name=chosen.name,
        state=chosen.state.value,
        metric=status.facts.metric,
        goal=status.facts.goal,
        value=chosen.best,
        last=chosen.last,
        values=chosen.values,
        params=chosen.params,
        config=_own(config),
        summary={key: value for key, value in _own(summary).items() if not _is_media(value)},
    )


def _best_of(status: SweepStatus, ref: SweepRef) -> RunStatus:
    facts, best = status.facts, status.standing.best
    if facts.metrics:
        fix = f"choose one of its front (`sweeper best {ref.quoted}` lists it): --run ID"
        raise ResultError(f"sweep {ref} has {len(facts.metrics)} metrics, so none of its runs is the best", fix)
    if not facts.metric:
        raise ResultError(f"sweep {ref} has no `metric:`, so none of its runs is the best", "see `sweeper status`")
    if best is None or best.best is None:
        raise _no_best(status, ref)
    return best


def _no_best(status: SweepStatus, ref: SweepRef) -> ResultError:
    """Say why a sweep has no best run, and what there is instead."""
    metric = status.facts.metric
    if status.missing_metrics:
        fix = f"mend the name where it is logged, or in the sweep file; `sweeper status {ref.quoted}` lists the runs"
        return ResultError(f"sweep {ref} has no best run: {status.missing_metrics[0].message}", fix)
    if ended := next((run for run in status.runs if run.best is not None), None):
        what = f"the runs of sweep {ref} with a value of {metric} have failed, crashed or been killed"
        return ResultError(
            f"{what}: none is the best", f"take one all the same: sweeper best {ref.quoted} --run {ended.id}"
        )
    fix = f"`sweeper status {ref.quoted}` shows how far it is; the trainer has to log that name with run.log"
    return ResultError(f"no run of sweep {ref} has logged {metric} yet", fix)


def _own(values: Mapping[str, Any]) -> dict[str, Any]:
    """Sort by name, and leave out what W&B keeps there for itself."""
    return {key: values[key] for key in sorted(values) if not key.startswith("_")}


def _is_media(value: object) -> bool:
    return isinstance(value, Mapping) and "_type" in value


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """What was fetched.

    Attributes:
        config: The file with the parameters.
        metrics: The file with the metric's best value and the summary.
        models: The models, each checked.
    """

    config: str
    metrics: str
    models: tuple[ModelFile, ...]


def check_folder(folder: Path) -> None:
    """Make the folder, and see that files can be written there.

    Raises:
        SweeperError: They cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()  # mode bits know nothing of quotas and read-only mounts
    except OSError as error:
        why = error.strerror or str(error)
        raise SweeperError(f"cannot write into {folder}: {why}", "give another directory: --download DIR") from error


def download_best(best: Best, ref: SweepRef, folder: Path, *, fetch: Fetch) -> Download:
    """Fetch the best run's model into a folder, check it, and write config and metrics beside it.

    Args:
        best: The run.
        ref: Its sweep.
        folder: Where to.
        fetch: Given a run, ends of names and the folder, fetches such files and says where they are.

    Raises:
        ResultError: The run has no model, or one that does not work.
        SweeperError: The folder cannot be written to.
    """
    check_folder(folder)
    files = fetch(ref.run(best.run), MODEL_SUFFIXES, folder)
    config = _write(folder / "config.json", best.config)
    about: dict[str, Any] = {"sweep": best.sweep, "run": best.run}
    if best.values:
        about["values"] = best.values
    else:
        about |= {"metric": best.metric, "goal": best.goal, "best": best.value}
    metrics = _write(folder / "metrics.json", {**about, "summary": best.summary})
    # `.onnx.data` is no model by itself: it is read with the one that it belongs to
    models = tuple(check_model(file) for file in files if file.suffix == ".onnx")
    if not models:  # said last: config and metrics are of use without one
        fix = "wait for its end" if best.state == "running" else "a trainer keeps one with run.save('model.onnx')"
        raise ResultError(f"run {best.run} ({best.state}) has no .onnx file; {config} and {metrics} are here", fix)
    return Download(config=config, metrics=metrics, models=models)


def _write(file: Path, data: Mapping[str, Any]) -> str:
    with replacing(file) as part:
        part.write_text(json.dumps(data, indent=2, default=str) + "\n", encoding="utf-8")
    return str(file)
