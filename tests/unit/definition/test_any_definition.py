"""What holds for every definition: round trips, suggestions inside the space, a grid that ends where it should."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import suggest
from sweeper.space.parameter_space import params_key
from sweeper.space.values import json_key

EXAMPLES = 100
"""Make it thousands for a night's run."""
bounded = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))

small = st.integers(-3, 3)
reals = st.floats(-1e3, 1e3).filter(lambda value: value == 0 or abs(value) > 1e-6)
positive = st.floats(1e-6, 1e3)
values = st.one_of(
    st.none(),
    st.booleans(),
    small,
    reals,
    st.sampled_from(["adam", "sgd", "", "1e-5", "on"]),
    st.lists(small, max_size=2),
)
distinct = st.lists(values, min_size=1, max_size=3, unique_by=json_key)


def ordered(kind: st.SearchStrategy[Any], least: float = 0.0) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.tuples(kind, kind).map(sorted).filter(lambda pair: pair[1] - pair[0] > least)
    return pairs.map(lambda pair: {"min": pair[0], "max": pair[1]})


def distribution(
    name: str, *parts: st.SearchStrategy[dict[str, Any]], **fields: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    """A form with its name, its limits and some of its other fields."""
    return st.builds(
        lambda limits, rest: {"distribution": name, **limits, **rest},
        st.one_of(*parts) if parts else st.just({}),
        st.fixed_dictionaries({}, optional=fields),
    )


finite = st.one_of(
    values.map(lambda value: {"value": value}),
    distinct.map(lambda several: {"values": several}),
    ordered(small),
    distribution("int_uniform", ordered(small)),
    distribution("q_uniform", ordered(small), q=st.just(1)),
    distribution("q_uniform", st.just({"min": 0.1, "max": 0.5}), q=st.just(0.2)).filter(lambda form: "q" in form),
    st.just({"distribution": "q_log_uniform_values", "min": 1, "max": 9, "q": 4}),
    st.just({"distribution": "q_beta", "q": 0.5}),
    st.just({"distribution": "normal", "mu": 1.5, "sigma": 0}),
)
weighted = st.integers(1, 3).map(lambda n: {"values": list(range(n)), "probabilities": [1 / n] * n})
continuous = st.one_of(
    ordered(reals),
    distribution("uniform", ordered(small), ordered(reals)),
    distribution("log_uniform_values", ordered(positive)),
    distribution("inv_log_uniform_values", ordered(positive)),
    distribution("log_uniform", ordered(st.floats(-9, -1))),
    distribution("inv_log_uniform", ordered(st.floats(-9, 0)), ordered(st.floats(1, 9))),
    distribution("q_log_uniform_values", ordered(positive, 2.0), q=st.sampled_from([1, 0.25])),
    distribution("q_uniform", ordered(reals, 2.0), q=st.sampled_from([1, 0.1])),
    distribution("normal", mu=reals, sigma=st.floats(0, 10)),
    distribution("q_normal", mu=reals, sigma=positive, q=positive),
    distribution("log_normal", mu=st.floats(-5, 5), sigma=st.floats(0, 3)),
    distribution("q_log_normal", mu=st.floats(-5, 5), sigma=positive, q=positive),
    distribution("beta", a=positive, b=positive),
    distribution("q_beta", a=positive, b=positive, q=st.floats(0.1, 1)),
)
NAMES = ["a", "b.c", "_d", "e-1", "g", "number"]


def group(forms: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(NAMES), forms, min_size=1, max_size=2).map(
        lambda found: {"parameters": found}
    )


@st.composite
def definitions(draw: st.DrawFn, method: str, forms: st.SearchStrategy[Any]) -> SweepDefinition:
    """A valid definition with any of the extensions."""
    members = st.one_of(forms, forms, group(st.one_of(forms, group(forms))))
    data: dict[str, Any] = {
        "method": method,
        "metric": {"name": "m", "goal": draw(st.sampled_from(["minimize", "maximize"]))},
        "parameters": draw(st.dictionaries(st.sampled_from(NAMES), members, min_size=1, max_size=3).filter(_unlike)),
    }
    if method == "bayes":
        data["parameters"]["z"] = {"values": [1, 2]}
    beyond = draw(st.fixed_dictionaries({}, optional={"seed": st.integers(0, 2**63 - 1), "repeats": st.integers(1, 3)}))
    if method == "grid":
        beyond |= draw(st.fixed_dictionaries({}, optional={"order": st.sampled_from(["sorted", "random"])}))
    if beyond.get("repeats", 1) > 1 and draw(st.booleans()):
        beyond["repeat_parameter"] = "fold"
    space = SweepDefinition.model_validate(data).space
    beyond |= draw(st.fixed_dictionaries({}, optional={"conditions": _conditions(space)}))
    data["sweeper"] = beyond
    space = SweepDefinition.model_validate({**data, "sweeper": _only(beyond, "conditions")}).space
    beyond |= draw(st.fixed_dictionaries({}, optional={"initial": _points(space), "run_name": _names(space)}))
    return SweepDefinition.model_validate(data)


def _only(data: dict[str, Any], key: str) -> dict[str, Any]:
    return {key: data[key]} if key in data else {}


def _unlike(parameters: dict[str, Any]) -> bool:
    """Whether no two ways lead to one name."""
    names = [".".join(path) for path in _paths(parameters)]
    return len(names) == len(set(names))


def _paths(parameters: dict[str, Any], outer: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, form in parameters.items():
        found += _paths(form["parameters"], (*outer, name)) if "parameters" in form else [(*outer, name)]
    return found


@st.composite
def _conditions(draw: st.DrawFn, space: Any) -> dict[str, Any]:
    """Some parameters hang on some before them, so nothing goes round in a circle."""
    found: dict[str, dict[str, Any]] = {}
    names = list(space.distributions)
    for place, name in enumerate(names):
        for other in names[:place]:
            support = space.distributions[other].support
            if support and draw(st.integers(0, 2)) == 0:
                wanted = draw(st.lists(st.sampled_from(support), min_size=1, max_size=2))
                lone = len(wanted) == 1 and not isinstance(wanted[0], list) and draw(st.booleans())
                found.setdefault(name, {})[other] = wanted[0] if lone else wanted
    return found


@st.composite
def _points(draw: st.DrawFn, space: Any) -> list[dict[str, Any]]:
    """Configurations of the space, some values left out, nested or dotted."""
    points = []
    for _ in range(draw(st.integers(0, 3))):
        params = space.sample(draw(st.randoms(use_true_random=False)))
        kept = {name: value for name, value in params.items() if draw(st.booleans())}
        points.append(space.nest(kept) if draw(st.booleans()) else kept)
    return points


def _names(space: Any) -> st.SearchStrategy[str]:
    fields = st.sampled_from(
        [f"{{{name}}}" for name in space.distributions]
        + ["{number:03d}" if "number" not in space.distributions else "x"]
    )
    return st.lists(fields, min_size=1, max_size=3).map("-".join)


def use(definition: SweepDefinition, *, limit: int) -> list[Run]:
    """Ask for runs until there are no more, finish every second one, and look at each."""
    runs: list[Run] = []
    while len(runs) < limit and (suggestion := suggest(definition, runs, seed=definition.seed or 0)):
        params = suggestion.params
        assert definition.space.contains(params)
        json.dumps(definition.space.nest(params), allow_nan=False)
        assert definition.space.flatten(definition.space.nest(params)) == params
        name = definition.run_name(params, len(runs) + 1)
        assert (name is None) == (definition.sweeper.run_name is None)
        state = [RunState.FINISHED, RunState.RUNNING, RunState.FAILED][len(runs) % 3]
        history = (float(len(runs)),) if state is RunState.FINISHED else ()
        runs.append(Run(id=str(len(runs)), state=state, params=params, history=history))
    return runs


def check_round_trip(definition: SweepDefinition) -> None:
    written = json.loads(json.dumps(definition.to_dict(), allow_nan=False))
    assert SweepDefinition.model_validate(written) == definition
    assert SweepDefinition.from_yaml(yaml.safe_dump(written, default_style='"')) == definition


anyhow = st.one_of(finite, finite, weighted, continuous)


@given(definition=st.one_of(definitions("random", anyhow), definitions("bayes", anyhow)))
@bounded
def test_suggestions_lie_in_the_space(definition):
    """Whatever the distributions, groups, conditions, points and repeats."""
    check_round_trip(definition)
    assert len(use(definition, limit=6)) == min(6, definition.expected_runs or 6)


@given(definition=definitions("grid", finite))
@bounded
def test_a_grid_ends_with_each_configuration_as_often_as_asked(definition):
    """No one too many and no one too few, whatever stands beside it."""
    check_round_trip(definition)
    assert definition.expected_runs is not None
    if definition.expected_runs > 200:
        return
    runs = use(definition, limit=definition.expected_runs + 1)
    assert len(runs) == definition.expected_runs
    repeats, count = definition.sweeper.repeats, definition.sweeper.repeat_parameter
    bare = Counter(params_key({name: v for name, v in run.params.items() if name != count}) for run in runs)
    assert set(bare.values()) == {repeats}
    assert count is None or Counter(run.params[count] for run in runs).keys() == set(range(1, repeats + 1))


@given(definition=definitions("random", st.one_of(finite, weighted)))
@bounded
def test_a_random_search_of_a_finite_space_ends_too(definition):
    """With each configuration as often as asked."""
    if definition.expected_runs is None or definition.expected_runs > 60:
        return
    runs = use(definition, limit=definition.expected_runs + 1)
    assert (
        len(runs)
        == definition.expected_runs
        == len({params_key(r.params) for r in runs})
        * (1 if definition.sweeper.repeat_parameter else definition.sweeper.repeats)
    )
