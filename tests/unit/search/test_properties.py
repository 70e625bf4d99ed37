"""What holds for every search: whatever the definition and whatever happened, a suggestion is sound."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import suggest
from sweeper.space.parameter_space import params_key

VALUES = st.sampled_from(["relu", "", True, False, None, 0, 1, 0.0, -2.5, 1e300, [], [8, 16], {"a": 1}, "1"])
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
POSITIVE = st.floats(1e-12, 1e6)


@st.composite
def limits(draw, numbers) -> tuple[float, float]:
    low, high = sorted(draw(st.tuples(numbers, numbers).filter(lambda pair: abs(pair[0] - pair[1]) > 1e-9)))
    return low, high


@st.composite
def forms(draw) -> dict[str, Any]:  # noqa: C901, PLR0911 a table of forms
    kinds = ["constant", "categorical", "weighted", "int", "uniform", "log", "q", "q_log", "exponents", "bell", "beta"]
    match draw(st.sampled_from(kinds)):
        case "constant":
            return {"value": draw(VALUES)}
        case "categorical":
            return {"values": draw(st.lists(VALUES, min_size=1, max_size=5))}
        case "weighted":
            values = draw(st.lists(VALUES, min_size=2, max_size=3))
            return {"values": values, "probabilities": [1 / len(values)] * len(values)}
        case "int":
            low = draw(st.integers(-5, 5))
            return {"min": low, "max": low + draw(st.sampled_from([1, 3, 40, 10**7]))}
        case "q":
            return {"distribution": "q_uniform", "min": 0.1, "max": 0.9, "q": draw(st.sampled_from([0.1, 0.05, 1e-5]))}
        case "q_log":
            return {"distribution": "q_log_uniform_values", "min": 1, "max": 300, "q": draw(st.sampled_from([8, 50]))}
        case "uniform":
            low, high = draw(limits(NUMBERS))
            return {"distribution": "uniform", "min": low, "max": high}
        case "exponents":
            distribution = draw(
                st.sampled_from(["log_uniform", "inv_log_uniform", "q_log_uniform", "inv_log_uniform_values"])
            )
            edges = {"min": 0.01, "max": 0.5} if distribution.endswith("values") else {"min": 1.0, "max": 4.0}
            return {"distribution": distribution, **edges}
        case "bell":
            distribution = draw(st.sampled_from(["normal", "q_normal", "log_normal", "q_log_normal"]))
            return {"distribution": distribution, "mu": draw(st.sampled_from([0.0, 3.0])), "sigma": 0.5}
        case "beta":
            return {
                "distribution": draw(st.sampled_from(["beta", "q_beta"])),
                "a": 2.0,
                "b": draw(st.sampled_from([1.0, 5.0])),
            }
        case _:
            low, high = draw(limits(POSITIVE))
            return {"distribution": "log_uniform_values", "min": low, "max": high}


@st.composite
def definitions(draw) -> SweepDefinition:
    parameters = draw(st.dictionaries(st.sampled_from("abcd"), forms(), min_size=1, max_size=4))
    if draw(st.booleans()):
        parameters["outer"] = {"parameters": {"inner": draw(forms())}}
    parameters["searched"] = draw(st.sampled_from([{"values": [1, 2]}, {"min": 0.0, "max": 1.0}]))
    extensions = {}
    if draw(st.booleans()):
        parameters["switch"] = {"values": ["on", "off"]}
        extensions = {"sweeper": {"conditions": {"searched": {"switch": "on"}}}}
    goal = draw(st.sampled_from(["minimize", "maximize"]))
    return SweepDefinition.model_validate(
        {
            "method": draw(st.sampled_from(["random", "bayes"])),
            "metric": {"name": "m", "goal": goal},
            "parameters": parameters,
            **extensions,
        }
    )


STATES = st.sampled_from([*RunState, *[RunState.FINISHED] * 8])
LOGGED = st.sampled_from([0.0, 1.0, 1.0, -3.5, 1e-300, 1e9, 1e300, -1e300, 1.7e308, -1.7e308, 5e-324, 0.1])


@st.composite
def histories(draw, definition: SweepDefinition, longest: int = 24) -> list[Run]:
    runs = []
    rng = random.Random(draw(st.integers(0, 999)))
    for number in range(draw(st.integers(0, longest))):
        params = definition.space.sample(rng)
        match draw(st.sampled_from(["fits", "fits", "fits", "lacks", "strange"])):
            case "lacks":
                params.pop(next(iter(params)))
            case "strange":
                params[next(iter(params))] = draw(st.sampled_from(["??", 1e308, None, [1]]))
        logged = tuple(draw(st.lists(LOGGED, min_size=draw(st.integers(0, 1)), max_size=2)))
        runs.append(Run(id=str(number), state=draw(STATES), params=params, history=logged))
    return runs


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_suggestion_lies_in_the_space_and_is_new(data):
    """Whatever the definition and the runs: the suggestion is of the space, was not given out, and can be repeated."""
    definition = data.draw(definitions())
    runs = data.draw(histories(definition))
    suggestion = suggest(definition, runs, seed=3)
    used = {params_key(run.params) for run in runs}
    if suggestion is None:
        assert definition.space.size is not None
        assert all(params_key(params) in used for params in definition.space.grid())
        return
    assert definition.space.contains(suggestion.params)
    assert list(suggestion.params) == [name for name in definition.space.distributions if name in suggestion.params]
    inactive = {"searched"} if suggestion.params.get("switch") == "off" else set()
    assert definition.space.distributions.keys() - suggestion.params.keys() == inactive
    assert params_key(suggestion.params) not in used
    assert suggest(definition, runs, seed=3) == suggestion


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_finite_space_ends_when_it_is_given_out(data):
    """Every configuration once, whatever the runs logged, and then None."""
    parameters = {
        "a": {"values": data.draw(st.lists(VALUES, min_size=2, max_size=4))},
        "b": {"min": 0, "max": data.draw(st.integers(1, 4))},
        "c": {"values": [True, False]},
    }
    method = data.draw(st.sampled_from(["bayes", "random", "grid"]))
    definition = SweepDefinition.model_validate({"method": method, "metric": {"name": "m"}, "parameters": parameters})
    runs: list[Run] = []
    while suggestion := suggest(definition, runs, seed=5):
        state = data.draw(st.sampled_from(RunState))
        logged = tuple(data.draw(st.lists(LOGGED, max_size=1)))
        runs.append(Run(id=str(len(runs)), state=state, params=suggestion.params, history=logged))
        assert len(runs) <= definition.space.size
    assert len(runs) == len({params_key(run.params) for run in runs}) == definition.space.size


BAYES = """
method: bayes
metric: {name: loss}
parameters:
  lr: {distribution: log_uniform_values, min: 0.0001, max: 1.0}
  depth: {min: 1, max: 5}
  optimizer: {values: [adam, sgd, lion]}
  kernels: {values: [[8, 16], [16, 32]]}
"""
RESTARTED = """
import json, math, sys
from sweeper.definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import suggest
definition = SweepDefinition.from_yaml(sys.argv[1])
runs = []
for number in range(14):
    found = suggest(definition, runs, seed=11)
    ended = number < 10
    loss = abs(math.log10(found.params["lr"]) + 2) + found.params["depth"]
    state = RunState.FINISHED if ended else RunState.RUNNING
    runs.append(Run(id=str(number), state=state, params=found.params, history=(loss,) if ended else ()))
print(json.dumps([run.params for run in runs]), found.engine, found.seed)
"""


def test_another_process_suggests_the_same():
    """A restarted server, with other hash seeds and more threads, goes on with the same suggestions."""
    said = []
    for hash_seed, threads in (("1", "1"), ("2", "2")):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-c", RESTARTED, BAYES]
        said.append(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)
    assert said[0] == said[1]
    assert said[0].split()[-2:] == ["gp/1", "11"]


def test_a_suggestion_names_its_engine_and_seed():
    """What is recorded on a run says where its parameters come from."""
    definitions = {
        "grid": "method: grid\nparameters: {a: {values: [1, 2]}}",
        "random": "method: random\nparameters: {a: {values: [1, 2]}}",
    }
    for engine, text in definitions.items():
        suggestion = suggest(SweepDefinition.from_yaml(text), [], seed=9)
        assert (suggestion.engine, suggestion.seed) == (f"{engine}/1", 9)


def test_suggestions_are_json():
    """What a run gets is what JSON can say: no NumPy number reaches the server."""
    definition = SweepDefinition.from_yaml(BAYES)
    runs = [
        Run(id=str(n), state=RunState.FINISHED, params=definition.space.sample(random.Random(n)), history=(float(n),))
        for n in range(8)
    ]
    suggestion = suggest(definition, runs, seed=1)
    assert json.loads(json.dumps(suggestion.params)) == suggestion.params
