"""Which parameter is the seed."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import BaseModel

from sweeper.definition.declaration import Declaration
from sweeper.definition.program import Choice
from sweeper.definition.seed_parameter import find
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import ResultError, TrainerError


class Config(BaseModel):
    """What a trainer declares."""

    lr: float = 0.1
    random_seed: int = 0


@dataclasses.dataclass
class Seedless:
    """What another one declares."""

    lr: float = 0.1


def define(parameters: str = "a: {values: [1]}", more: str = "") -> SweepDefinition:
    return SweepDefinition.from_yaml(f"method: grid\nparameters: {{{parameters}}}\n{more}")


def name(definition: SweepDefinition | None = None, asked: str | None = None, **more: object) -> str:
    known = {"trainer": None, "config": {}, "choice": None, **more}
    return find(definition or define(), asked, **known).name


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("seed: {value: 1}", "seed"),
        ("random_seed: {value: 1}, lr: {value: 2}", "random_seed"),
        ("SEED: {value: 1}", "SEED"),
        ("random-seed: {value: 1}", "random-seed"),
        ("train: {parameters: {seed: {value: 1}}}, random_state: {value: 3}", "train.seed"),
    ],
)
def test_a_parameter_of_the_file_is_found_by_its_name(parameters, expected):
    """The last part of a dotted name counts, and the likeliest word comes first."""
    assert name(define(parameters)) == expected


def test_it_is_looked_for_where_it_is_surest_first():
    """What the user says, the count of repeats, the file, the trainer's declaration, a run's config, the code."""
    repeated = define(more="sweeper: {repeats: 2, repeat_parameter: fold}")
    everywhere = {"trainer": Declaration("t:f", Config), "config": {"rng_seed": 1, "_x": {"seed": 1}}}
    assert name(repeated, "lr", **everywhere) == "lr"
    assert name(repeated, **everywhere) == "fold"
    assert name(define("seed: {value: 1}"), **everywhere) == "seed"
    assert name(**everywhere) == "random_seed"
    assert name(config={"train": {"rng_seed": 1}}) == "train.rng_seed"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def train():\n    x = config['seed']", "seed"),
        ("def train():\n    x = wandb.config.get('random_seed', 1)", "random_seed"),
        ("parser.add_argument('--rng-seed', type=int)", "rng-seed"),
        ("def train(lr=1, *, seed=2): pass", "seed"),
        ("class Config:\n    manual_seed: int = 0", "manual_seed"),
        ("def main():\n    set_it(args.seed)", "seed"),
        ("def main():\n    set_it(run.config.seed)", "seed"),
    ],
)
def test_a_trainers_code_is_read_and_not_run(tmp_path, monkeypatch, code, expected):
    """An option, a key, a field or an argument of its function."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_trainer_of_mine.py").write_text(f"raise SystemExit\n{code}\n", encoding="utf-8")
    assert name(choice=Choice("own_trainer_of_mine:train", "")) == expected
    script = Choice("x", "", command=("python",), program="own_trainer_of_mine.py")
    if "train(lr" not in code:
        assert name(choice=script) == expected


@pytest.mark.parametrize(
    "code",
    ["numpy.random.seed(3)", "def set_seed(seed): pass", "def train(", "x = '\\0'", "# seed"],
)
def test_what_only_sounds_like_it_is_none(tmp_path, monkeypatch, code):
    """A function that sets a seed takes it from nobody knows where; code that cannot be read says nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other_trainer_of_mine.py").write_text(code, encoding="utf-8")
    for choice in (Choice("other_trainer_of_mine:train", ""), Choice("gone:train", ""), None):
        with pytest.raises(ResultError, match="called like a seed") as caught:
            name(choice=choice)
        assert "--seed-parameter NAME" in caught.value.hint


def test_of_several_the_user_has_to_choose():
    """No guess among equals."""
    with pytest.raises(ResultError, match=r"several parameters may be the seed: data.seed, net.seed") as caught:
        name(define("data: {parameters: {seed: {value: 1}}}, net: {parameters: {seed: {value: 1}}}"))
    assert "--seed-parameter" in caught.value.hint


def test_a_parameter_that_the_trainer_lacks_is_refused():
    """With the one that was meant; a trainer that declares nothing may know it."""
    with pytest.raises(TrainerError, match="t:f has no parameter 'randomseed'") as caught:
        name(asked="randomseed", trainer=Declaration("t:f", Config))
    assert "random_seed" in caught.value.hint
    with pytest.raises(TrainerError):
        name(asked="seed", trainer=Declaration("t:f", Seedless))
    assert name(asked="seed", trainer=Declaration("t:f")) == "seed"
    assert name(define("seed: {value: 1}"), "seed", trainer=Declaration("t:f", Seedless)) == "seed"
