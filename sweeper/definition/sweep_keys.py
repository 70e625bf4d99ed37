"""The keys of a sweep file, W&B's and our own, and which of them go together."""

from __future__ import annotations

import json
import shlex
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import ErrorDetails, InitErrorDetails

from sweeper.definition.early_terminate import Hyperband
from sweeper.definition.extensions import Extensions
from sweeper.definition.metric import Controller, Metric, Scheduler
from sweeper.definition.parameters import ParameterForm
from sweeper.definition.strict_model import Count, Faults, ParameterName, StrictModel, Value, reads, rule

A_METRIC = "add `metric: {name: val_accuracy, goal: maximize}`"
_INSIDE = {
    **dict.fromkeys(Extensions.model_fields, "sweeper"),
    **dict.fromkeys(Hyperband.model_fields, "early_terminate"),
    **dict.fromkeys(Metric.model_fields, "metric"),
}
"""Keys that stand inside of another one, which people forget."""
_OTHER_WORDS = {
    "count": "run_cap",
    "max_runs": "run_cap",
    "num_runs": "run_cap",
    "n_trials": "run_cap",
    "script": "program",
    "entrypoint": "program",
    "args": "command",
    "early_stopping": "early_terminate",
    "search_space": "parameters",
    "objective": "metric",
    "strategy": "method",
}
"""What other tools call a key."""


def _command(value: object) -> object:
    """Refuse a command line: the agent (wandb 0.31) would go on without it, and without a word."""
    if not isinstance(value, str):
        return value
    try:
        words = shlex.split(value)
    except ValueError:  # a quote that stays open
        words = value.split()
    raise rule("is one text, which the agent does not split", f"write a list: {json.dumps(words)[:200]}")


def _item(value: object) -> object:
    """Refuse an item without a text: the agent (wandb 0.31) would pass on `None`."""
    if value is None:
        raise rule("is empty", "give it a value, or remove the line")
    return value


class SweepKeys(StrictModel):
    """What a sweep file may say; rules that need the parameter space stand in `SweepDefinition`."""

    method: Literal["grid", "random", "bayes", "custom"]
    """How configurations are chosen: all of them, at random, by learning from results, or by `scheduler`."""
    parameters: dict[ParameterName, ParameterForm] = Field(default_factory=dict, min_length=1)
    """What varies from run to run, and what all runs share (`value`)."""
    metric: Metric | None = None
    """What the sweep optimises."""
    metrics: list[Metric] | None = Field(default=None, min_length=2)
    """Several metrics to optimise at once, instead of `metric`; for `method: custom` (and for `bayes`, not in W&B)."""
    early_terminate: Hyperband | None = None
    """When to stop runs that lag behind."""
    run_cap: Count | None = None
    """The number of runs after which the sweep ends, over all agents."""
    program: str | None = None
    """The script that `wandb agent` starts, or the trainer of `sweeper launch` as `pkg.module:function`."""
    command: Annotated[list[Annotated[Value, BeforeValidator(_item)]] | None, BeforeValidator(_command)] = None
    """How `wandb agent` starts the program: a list of arguments and macros such as ${args}."""
    name: str | None = None
    """The sweep's name on the pages."""
    description: str | None = None
    """What the sweep is for."""
    project: str | None = None
    """The project that the sweep and its runs belong to."""
    entity: str | None = None
    """The user or team that owns the project."""
    controller: Controller | None = None
    """Where W&B's search runs."""
    scheduler: Scheduler | None = None
    """A search of the user's own, for `method: custom`."""
    job: str | None = None
    """A W&B Launch job to run (W&B only)."""
    image_uri: str | None = None
    """A container image for W&B Launch to run (W&B only)."""
    launch: dict[str, Value] | None = None
    """Settings of W&B Launch (W&B only)."""
    settings: dict[str, Value] | None = None
    """Settings of the SDK that `wandb sweep --settings` writes here."""
    apiVersion: str | None = None  # noqa: N815 W&B's spelling
    """Accepted and unused, as in W&B."""
    kind: Literal["sweep"] | None = None
    """Accepted and unused, as in W&B."""
    sweeper: Extensions = Field(default_factory=Extensions)
    """What goes beyond W&B's format: a W&B server does not know it."""

    @classmethod
    def _explained(cls, detail: ErrorDetails) -> InitErrorDetails:
        key = str(detail["loc"][-1]) if detail["loc"] else ""
        if detail["type"] != "extra_forbidden" or not (key in _OTHER_WORDS or key in _INSIDE):
            return super()._explained(detail)
        meant = _OTHER_WORDS.get(key)
        fix = f"did you mean `{meant}`?" if meant else f"write it below `{_INSIDE[key]}:`"
        return InitErrorDetails(type=rule("unknown key", fix), loc=detail["loc"], input=detail["input"])

    @property
    def objectives(self) -> list[Metric]:
        """What the sweep optimises: its metric, each of several, or nothing."""
        return self.metrics or ([self.metric] if self.metric else [])

    @reads("method", "metric", "metrics")
    def _check_bayes_has_a_metric(self) -> Faults:
        if self.method == "bayes" and not self.objectives:
            yield rule("bayes needs a `metric:`", A_METRIC, "method")

    @reads("early_terminate", "metric", "metrics")
    def _check_stopping_has_a_metric(self) -> Faults:
        if self.early_terminate and self.metric is None:
            yield rule(*self._no_metric("hyperband"), "early_terminate")

    def _no_metric(self, stopping: str) -> tuple[str, str]:
        if self.metrics:
            return f"{stopping} judges a run by one metric, and there are several", "leave it out"
        return f"{stopping} needs a `metric:`", A_METRIC

    @reads("sweeper", "metric", "metrics")
    def _check_stopping_beyond_wandb_has_a_metric(self) -> Faults:
        beyond = self.sweeper.early_terminate
        if beyond and self.metric is None:
            yield rule(*self._no_metric(beyond.type), "sweeper", "early_terminate")

    @reads("sweeper", "early_terminate")
    def _check_stopping_stands_once(self) -> Faults:
        if self.sweeper.early_terminate and self.early_terminate:
            yield rule("there is an `early_terminate:` of W&B's already", "leave one out", "sweeper", "early_terminate")

    @reads("metric", "metrics")
    def _check_metrics_exclude_a_metric(self) -> Faults:
        if self.metrics and self.metric:
            yield rule("`metric` and `metrics` exclude each other", "keep one of them", "metrics")

    @reads("metrics", "method")
    def _check_metrics_have_a_method(self) -> Faults:
        if self.metrics and self.method not in {"custom", "bayes"}:
            yield rule("several metrics need `method: custom` or `bayes`", "keep one as `metric:`", "metrics")

    @reads("metrics")
    def _check_metrics_differ(self) -> Faults:
        names = [metric.name for metric in self.metrics or ()]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield rule(f"{name} is there twice", "leave one of them out", "metrics", index, "name")

    @reads("method", "scheduler", "metrics")
    def _check_custom_has_a_scheduler(self) -> Faults:
        if self.method == "custom" and self.scheduler is None and self.metrics is None:
            fix = "add `scheduler: {engine: optuna, ...}`, or use `method: bayes`"
            yield rule("custom needs a `scheduler:` or several `metrics:`", fix, "method")

    @reads("scheduler", "method")
    def _check_scheduler_fits_the_method(self) -> Faults:
        # `wandb` runs W&B's own methods in the scheduler's process, the other two run `custom`
        if self.scheduler and (self.scheduler.engine == "wandb") == (self.method == "custom"):
            methods = "grid, random or bayes" if self.scheduler.engine == "wandb" else "custom"
            found = f"engine {self.scheduler.engine} does not go with method {self.method}"
            yield rule(found, f"take method {methods}", "scheduler", "engine")

    @reads("scheduler", "early_terminate")
    def _check_scheduler_stops_runs_itself(self) -> Faults:
        if self.scheduler and self.early_terminate:
            yield rule("a scheduler does its own early termination", "leave it out", "early_terminate")

    @reads("scheduler", "sweeper")
    def _check_scheduler_needs_no_rule_of_ours(self) -> Faults:
        if self.scheduler and self.sweeper.early_terminate:
            yield rule("a scheduler does its own early termination", "leave it out", "sweeper", "early_terminate")

    @reads("scheduler", "controller")
    def _check_one_process_searches(self) -> Faults:
        if self.scheduler and self.controller and self.controller.type == "local":
            yield rule("`controller: local` and `scheduler` exclude each other", "leave it out", "controller")

    @reads("job", "image_uri")
    def _check_launch_is_one(self) -> Faults:
        if self.job and self.image_uri:
            yield rule("`job` and `image_uri` exclude each other", "keep one of them", "image_uri")

    @reads("sweeper", "method")
    def _check_order(self) -> Faults:
        if self.sweeper.order == "random" and self.method != "grid":
            fix = "leave it out: only a grid has an order"
            yield rule(f"`order: random` does not go with method {self.method}", fix, "sweeper", "order")
