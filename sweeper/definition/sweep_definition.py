"""A sweep as its file defines it: read with all faults, and the space, the goals and the counts that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pydantic import PrivateAttr, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from sweeper.definition import extensions, mistaken_files, placed_faults, yaml_document
from sweeper.definition.command_macros import macro_faults
from sweeper.definition.early_terminate import StoppingRule
from sweeper.definition.parameter_forms import Form, WeightedForm
from sweeper.definition.parameters import ParameterForm, flat_forms
from sweeper.definition.strict_model import Faults, reads, rule
from sweeper.definition.sweep_keys import SweepKeys
from sweeper.definition.yaml_document import Document
from sweeper.run import Goal, Params
from sweeper.space import conditions
from sweeper.space.distributions import IntUniform
from sweeper.space.parameter_space import ParameterSpace

MAX_CONFIGURATIONS = 10**15
"""A search of more counts as endless: servers keep 64-bit integers, and repeats multiply."""
A_METRIC = "add `metric: {name: val_accuracy, goal: maximize}`"


class SweepDefinition(SweepKeys):
    """One sweep: what to search, how, and what for.

    `from_yaml` and `from_file` report faults with their place; `model_validate` takes a dict from Python.
    """

    _whole: bool = PrivateAttr(default=True)
    """False while faults are collected and `parameters` holds only those that are right."""

    @classmethod
    def from_yaml(cls, text: str, source: str = "sweep.yaml", *, by_hand: bool = True) -> Self:
        """Read a sweep file.

        Args:
            text: The YAML.
            source: Its name, for errors.
            by_hand: A person wrote it, so that a key without a value is a mistake, as is a sweep one level too deep.

        Raises:
            DefinitionError: It is no sweep; the message gives file, line, key and fix of every fault.
        """
        return cls.from_document(yaml_document.read(text, source), source, by_hand=by_hand)

    @classmethod
    def from_document(cls, found: Document, source: str, *, by_hand: bool = True) -> Self:
        """Do what `from_yaml` does for a text that has been read already."""
        if by_hand and (other := mistaken_files.no_sweep(found)):
            raise yaml_document.faulty(source, [other])
        wrong = [*found.faults, *(placed_faults.without_value(found) if by_hand else ())]
        try:
            definition = cls.model_validate(found.data)
        except ValidationError as error:
            faults = placed_faults.joined(wrong, placed_faults.placed(error, found))
            raise yaml_document.faulty(source, faults) from error
        if wrong:
            raise yaml_document.faulty(source, wrong)
        return definition

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a sweep file from disk.

        Raises:
            DefinitionError: It cannot be read, or is no sweep.
        """
        return cls.from_yaml(yaml_document.read_file(path), str(path))

    @classmethod
    def _partial(cls, data: Mapping[Any, Any], details: Iterable[ErrorDetails]) -> Self:
        details = list(details)
        model = super()._partial(data, details)
        # one wrong parameter must not keep the rules from judging all the others
        wrong = {detail["loc"][1] for detail in details if detail["loc"][:1] == ("parameters",) and detail["loc"][1:]}
        if wrong:
            right = [name for name in data["parameters"] if isinstance(name, str) and name not in wrong]
            model.__dict__["parameters"] = {name: _FORM.validate_python(data["parameters"][name]) for name in right}
            model._whole = False  # noqa: SLF001 it is one of us
        return model

    @property
    def forms(self) -> dict[str, Form]:
        """The parameters by dotted name, groups opened."""
        return {".".join(path): form for path, form in flat_forms(self.parameters)}

    @cached_property
    def _plain_space(self) -> ParameterSpace:
        """The space of the parameters alone, which conditions and initial configurations are about."""
        flat = list(flat_forms(self.parameters))
        distributions = {".".join(path): form.to_distribution() for path, form in flat}
        return ParameterSpace(distributions=distributions, paths={".".join(path): path for path, _ in flat})

    @cached_property
    def space(self) -> ParameterSpace:
        """The parameters, their conditions (none while these are faulty), and the count of repeats if it is named."""
        plain, beyond = self._plain_space, self.sweeper
        faulty = any(extensions.condition_faults(beyond.conditions, plain))
        active = {} if faulty else conditions.expand(beyond.conditions, plain)
        count = beyond.repeat_parameter if beyond.repeats > 1 else None
        if count is None:
            return replace(plain, conditions=active)
        distributions = {**plain.distributions, count: IntUniform(1, beyond.repeats)}
        return ParameterSpace(distributions=distributions, paths={**plain.paths, count: (count,)}, conditions=active)

    @property
    def goal(self) -> Goal:
        """The direction of the metric; W&B's default where none is given."""
        return self.metric.goal if self.metric else "minimize"

    @property
    def several(self) -> bool:
        """Whether it has several metrics, under `metrics`."""
        return self.metrics is not None

    @property
    def aim(self) -> str:
        """What the sweep optimises, in words: `minimize loss, maximize accuracy`; empty if nothing."""
        return ", ".join(f"{metric.goal} {metric.name}" for metric in self.objectives)

    @property
    def learns(self) -> bool:
        """Whether the results of runs decide what this server's search proposes next."""
        return self.scheduler is None and (self.method == "bayes" or self.metrics is not None)

    @property
    def steered(self) -> bool:
        """Whether what runs log decides which runs there are, how far they go, or when the sweep is over."""
        aims = any(metric.target is not None for metric in self.objectives)
        return aims or self.learns or self.scheduler is not None or self.stopping is not None

    def met(self, values: Sequence[float]) -> bool:
        """Whether a run's values of several metrics reach every target that the file sets, if it sets one."""
        pairs = zip(self.objectives, values, strict=False)
        reached = [metric.reached_by(value) for metric, value in pairs if metric.target is not None]
        return bool(reached) and all(reached)

    @property
    def stopping(self) -> StoppingRule | None:
        """The rule of early termination: W&B's, or one of ours."""
        return self.early_terminate or self.sweeper.early_terminate

    @property
    def seed(self) -> int | None:
        """The seed of the search that the file asks for; None leaves it to the server."""
        return self.sweeper.seed

    def run_name(self, params: Params, number: int) -> str | None:
        """Name a run as the file's template says; None if it has none.

        Args:
            params: The run's parameters, flat.
            number: The how-manieth run of the sweep it is, from 1.
        """
        return self.sweeper.name_run(params, number)

    @cached_property
    def once(self) -> SweepDefinition:
        """The same sweep with one run for each configuration."""
        # through the dict, so that the repeat no longer counts as a parameter of the space
        beyond = {name: getattr(self.sweeper, name) for name in self.sweeper.used if name not in _OF_REPEATS}
        return SweepDefinition.model_validate({**self.to_dict(), "sweeper": beyond})

    @property
    def configurations(self) -> int | None:
        """The number of distinct configurations, repeats not counted; None if there are too many to list."""
        size = None if self._is_drawn_elsewhere else self.space.size
        # the count of the repeat is a parameter of the space, but makes no new configuration
        if size is not None and self.sweeper.repeat_parameter:
            size //= self.sweeper.repeats
        return None if size is None or size > MAX_CONFIGURATIONS else size

    @property
    def _is_drawn_elsewhere(self) -> bool:
        """Whether a function of the scheduler's draws parameters that the file does not list."""
        return self.scheduler is not None and bool(self.scheduler.search_space)

    @property
    def expected_runs(self) -> int | None:
        """How many runs the sweep will have; None if it goes on until stopped."""
        return self.expected_beside()

    def expected_beside(self, *, spared: int = 0, beyond: int = 0) -> int | None:
        """Count the runs that the sweep will have beside what it has already; None if it goes on until stopped.

        Args:
            spared: Configurations that earlier runs attached to it have tried.
            beyond: Runs that it has made and that the file, which was edited since, does not ask for.
        """
        size = self.configurations
        whole = None if size is None or self.scheduler else (size - spared) * self.sweeper.repeats + beyond
        return min((limit for limit in (self.run_cap, whole) if limit is not None), default=None)

    def to_dict(self) -> dict[str, Any]:
        """Give back what the file said, ready for `wandb.sweep`; defaults that matter are written out."""
        data = self.model_dump(exclude_unset=True)
        # W&B's docs and its engine differ on the default, so what we take is said
        if self.early_terminate:
            data["early_terminate"]["strict"] = self.early_terminate.strict
        return data

    @reads("parameters", "scheduler")
    def _check_has_parameters(self) -> Faults:
        if self._whole and not self.parameters and not self._is_drawn_elsewhere:
            yield rule("has no `parameters`", "add `parameters:` with what to vary")

    @reads("parameters")
    def _check_names_are_unique(self) -> Faults:
        seen: set[str] = set()
        for path, _ in flat_forms(self.parameters):
            name = ".".join(path)
            if name in seen:
                yield rule(f"two parameters are called {name}", "rename one of them", "parameters", path[0])
            seen.add(name)

    @reads("method", "parameters")
    def _check_grid_is_finite(self) -> Faults:
        if self.method != "grid":
            return
        for name, form in self.forms.items():
            # the plain space: so a fault below `sweeper:` hides nothing here
            keys = _keys(self._plain_space.paths[name])
            if self._plain_space.distributions[name].support is None:
                fix = "list its `values:`, or use `method: random` or `bayes`"
                yield rule("is continuous: it has no grid", fix, *keys)
            elif isinstance(form, WeightedForm):
                yield rule("a grid has no probabilities", "leave them out, or use `method: random`", *keys)

    @reads("method", "metrics", "scheduler", "parameters", "sweeper")
    def _check_bayes_can_learn(self) -> Faults:
        if self.learns and self._whole and self.parameters and not self.space.searched:
            yield rule(f"{self.method} has nothing to search: all parameters are constant", "vary one", "parameters")

    @reads("command", "parameters")
    def _check_macros(self) -> Faults:
        yield from macro_faults(self.command or (), self.forms if self._whole else ())

    @reads("parameters", "sweeper")
    def _check_conditions(self) -> Faults:
        for fault in extensions.condition_faults(self.sweeper.conditions, self._plain_space) if self._whole else ():
            yield _below(fault, "conditions")

    @reads("parameters", "sweeper")
    def _check_initial(self) -> Faults:
        space = replace(self._plain_space, conditions=self.space.conditions)
        for fault in extensions.point_faults(self.sweeper.initial, space) if self._whole else ():
            yield _below(fault, "initial")

    @reads("parameters", "sweeper")
    def _check_run_name(self) -> Faults:
        for fault in extensions.name_faults(self.sweeper.run_name or "", self.space) if self._whole else ():
            yield _below(fault, "run_name")

    @reads("parameters", "sweeper")
    def _check_repeat_parameter(self) -> Faults:
        name = self.sweeper.repeat_parameter
        if name is not None and (name in self.parameters or name in self.forms):
            yield rule(f"{name} is a parameter already", "remove one of them", "sweeper", "repeat_parameter")


_OF_REPEATS = {"repeats", "repeat_parameter", "run_name"}  # a run's name may hold the count

_FORM: TypeAdapter[Any] = TypeAdapter(ParameterForm)


def _keys(path: Sequence[str]) -> list[str]:
    return [key for name in path for key in ("parameters", name)]


def _below(fault: Any, key: str) -> Any:
    """Place a fault of the extensions."""
    context = fault.context or {}
    return rule(context["message"], context["fix"], "sweeper", key, *context["path"])
