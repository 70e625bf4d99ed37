"""What `sweeper check` finds in a file, and what it shows of it."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sweeper.cli import app
from sweeper.definition.check import check, check_document, check_file
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.definition.yaml_document import Document
from sweeper.errors import DefinitionError, TrainerError
from sweeper.search import suggest
from sweeper.search.preview import first_rungs, first_suggestions

SWEEPS = sorted((Path(__file__).parents[3] / "sweeps").glob("*.yaml"))
GOOD = """\
method: random
metric: {name: accuracy, goal: maximize}
parameters:
  lr: {distribution: log_uniform_values, min: 0.0001, max: 0.1}
  optimizer: {values: [adam, sgd]}
  momentum: {min: 0.0, max: 0.9}
  epochs: {value: 3}
early_terminate: {type: hyperband, min_iter: 2, eta: 3, strict: true}
sweeper:
  seed: 5
  conditions: {momentum: {optimizer: sgd}}
"""


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", *args], env={"COLUMNS": "80", "TERM": "dumb"})
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def trainer(tmp_path, monkeypatch, request):
    """A module of a user's, in the current folder, under a name of the test's own."""
    name = f"own_{request.node.name.partition('[')[0]}"

    def write(source: str) -> str:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        monkeypatch.chdir(tmp_path)
        return f"{name}:train"

    yield write
    sys.modules.pop(name, None)


@pytest.mark.parametrize("file", SWEEPS, ids=lambda file: file.name)
def test_the_shipped_sweeps_have_no_fault_and_no_warning(file):
    """Whoever starts from them starts clean, and with the trainer that comes along."""
    found = check_file(file)
    assert (found.faults, found.warnings) == ((), ())


def test_the_table_shows_distribution_range_and_condition():
    """A row says what a parameter can be, and when."""
    rows = {row.name: row for row in check(GOOD, "my.yaml").rows}
    assert rows["lr"].distribution == "log_uniform_values"
    assert rows["lr"].range == "0.0001 to 0.1"
    assert rows["momentum"].range == "0 to 0.9, if optimizer is sgd"
    assert rows["epochs"].range == "3"


def test_the_samples_are_what_the_server_will_suggest():
    """With a seed in the file, the five samples are the sweep's first five runs."""
    definition = SweepDefinition.from_yaml(GOOD)
    samples = first_suggestions(definition)
    assert len(samples) == 5
    first = suggest(definition, [], seed=definition.seed)
    assert samples[0] == first.params
    assert all(definition.space.contains(sample) for sample in samples)


def test_a_small_grid_has_fewer_samples_than_five():
    """A sweep of two runs shows two."""
    definition = SweepDefinition.from_yaml("method: grid\nparameters: {a: {values: [1, 2]}}")
    assert [sample["a"] for sample in first_suggestions(definition)] == [1, 2]


def test_the_rungs_are_shown():
    """Early termination says where it will look."""
    assert first_rungs(SweepDefinition.from_yaml(GOOD)) == (2, 6, 18, 54, 162)


@pytest.mark.parametrize(
    ("change", "key", "word"),
    [
        ("metric: {name: val_acc}", "metric.name", "goal: maximize"),
        ("metric: {name: loss, goal: maximize}", "metric.name", "goal: minimize"),
        ("p: {values: [on, x]}", "parameters.p.values.0", "true"),
        ("p: {value: 010}", "parameters.p.value", "8"),
        ("p: {distribution: log_uniform, min: -9, max: -2}", "parameters.p.distribution", "log_uniform_values"),
        ("p: {min: 1.0, max: 10.0}", "parameters.p.min", "min: 1, max: 10"),
        ("p: {distribution: q_uniform, min: 1, max: 11, q: 4}", "parameters.p.q", "multiples of q"),
        ("p: {values: [1, 1, 2]}", "parameters.p.values", "twice"),
        ("run_cap: 9", "run_cap", "2 runs"),
        ("early_terminate: {type: hyperband, min_iter: 2}\nmetric: {name: a}", "early_terminate", "strict"),
        ('command: ["${program}", "${args}"]', "command", "program: train.py"),
        ('command: ["${args}"]\nprogram: x.py\np: {parameters: {q: {value: 1}}}', "command", "args_json"),
    ],
)
def test_what_is_probably_not_meant_gets_a_warning(change, key, word):
    """A warning has a place and a fix, and does not keep the sweep from running."""
    lines = ["method: random", "parameters:", "  a: {values: [1, 2]}"]
    for line in change.split("\n"):
        lines.insert(3, f"  {line}") if line.startswith("p:") else lines.append(line)
    found = check("\n".join(lines), "my.yaml")
    assert found.faults == ()
    [warning] = found.warnings
    assert (".".join(map(str, warning.path)), warning.level) == (key, "warning")
    assert word in warning.message + warning.fix
    assert warning.line > 0


def test_a_trainer_that_declares_itself_finds_strangers(trainer):
    """A parameter it lacks, a value it refuses and a metric it never logs are faults with places."""
    target = trainer(
        """
        from typing import Literal
        from pydantic import BaseModel

        class Config(BaseModel):
            lr: float = 0.1
            optimizer: Literal["adam", "adamw"] = "adam"

        CONFIG = Config
        METRICS = ("loss", "val_accuracy")
        """
    )
    text = (
        "method: random\nmetric: {name: val_acuracy}\nparameters:\n"
        "  lrr: {value: 1.0}\n  lr: {value: 0.5}\n  optimizer: {values: [adam, sgd]}"
    )
    found = check(text, "my.yaml", trainer=target)
    by_key = {".".join(map(str, fault.path)): fault for fault in found.faults}
    assert set(by_key) == {"metric.name", "parameters.lrr", "parameters.optimizer"}
    assert by_key["metric.name"].line == 2
    assert "val_accuracy" in by_key["metric.name"].fix
    assert "`lr`" in by_key["parameters.lrr"].fix
    assert "'sgd'" in by_key["parameters.optimizer"].message
    assert [row.default for row in found.rows] == ["", "0.1", "adam"]


def test_a_dataclass_declares_as_well(trainer):
    """Names and defaults are read from it."""
    target = trainer(
        """
        from dataclasses import dataclass, field

        @dataclass
        class CONFIG:
            lr: float
            layers: list = field(default_factory=lambda: [8, 16])
        """
    )
    found = check(
        "method: random\nparameters: {lr: {value: 1}, layers: {value: [4]}, x: {value: 1}}", "a", trainer=target
    )
    assert [fault.path for fault in found.faults] == [("parameters", "x")]
    assert [row.default for row in found.rows] == ["", "[8,16]", ""]


def test_a_trainer_that_declares_nothing_is_not_asked(trainer):
    """Then every parameter is as good as another."""
    target = trainer("def train(): pass")
    assert check("method: random\nparameters: {x: {value: 1}}", "a", trainer=target).faults == ()


@pytest.mark.parametrize(
    "source", ["import no_such_module", "CONFIG = 3", "METRICS = 'loss'", "raise SystemError('no')"]
)
def test_a_trainer_that_cannot_be_asked_is_an_error(trainer, source):
    """The user named it, so silence would be a lie."""
    with pytest.raises(TrainerError):
        check("method: random\nparameters: {x: {value: 1}}", "a", trainer=trainer(source))


def test_a_files_own_program_is_never_imported(trainer, tmp_path):
    """Checking a file runs no code that the file chose."""
    target = trainer(f"open({str(tmp_path / 'touched')!r}, 'w')")
    assert check(f"method: random\nprogram: {target}\nparameters: {{x: {{value: 1}}}}", "a").faults == ()
    assert not (tmp_path / "touched").exists()


def test_a_check_looks_at_no_text_once_it_is_read():
    """A document is enough: faults and warnings have its places, though there is no YAML to read."""
    data = {"method": "random", "parameters": {"a": {"values": [1, 1]}}}
    place = {("parameters", "a", "values"): (7, 4)}
    [warning] = check_document(Document(data, place), "my.yaml").warnings
    assert (warning.line, warning.column) == (7, 4)
    with pytest.raises(DefinitionError) as caught:
        check_document(Document({**data, "run_cap": 0}, {("run_cap",): (9, 1)}), "my.yaml")
    assert [(fault.line, fault.column) for fault in caught.value.faults] == [(9, 1)]


def test_a_faulty_check_has_no_sweep():
    """Asking it for the definition raises what is wrong."""
    with pytest.raises(DefinitionError, match="bayess"):
        _ = check("method: bayess\nparameters: {a: {value: 1}}", "my.yaml").sweep


def test_many_files_are_all_checked(tmp_path):
    """A missing or faulty one does not hide the others, and the exit code is 1."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(GOOD)
    bad.write_text("method: random\nparameters: {a: {vales: [1]}}")
    code, stdout, stderr = run(str(bad), str(tmp_path / "none.yaml"), str(good))
    assert code == 1
    assert "log_uniform_values" in stdout
    assert f"{bad}:2:18: parameters.a.vales" in stderr
    assert "none.yaml: No such file" in stderr
    assert "3 files, 2 errors, 0 warnings" in stderr


def test_a_good_file_exits_with_0_and_fits_80_columns(tmp_path):
    """What a person sees does not wrap, and CI goes on."""
    (tmp_path / "good.yaml").write_text(GOOD)
    code, stdout, _ = run(str(tmp_path / "good.yaml"))
    assert code == 0
    assert max(map(len, stdout.replace(str(tmp_path), "").splitlines())) <= 80
    for word in ("configurations", "continuous", "until stopped", "2, 6, 18", "sample 5"):
        assert word in stdout


def test_json_says_the_same_for_scripts(tmp_path):
    """One object for each file: ok, errors with places, the space, samples."""
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text("method: random\nparameters: {a: {vales: [1]}}")
    code, stdout, stderr = run("--json", str(tmp_path / "good.yaml"), str(tmp_path / "bad.yaml"))
    good, bad = json.loads(stdout)
    assert (code, stderr) == (1, "")
    assert (good["ok"], bad["ok"]) == (True, False)
    assert good["parameters"][0]["distribution"] == good["parameters"][0]["law"] == "log_uniform_values"
    assert (good["expected_runs"], good["configurations"], good["rungs"]) == (None, None, [2, 6, 18, 54, 162])
    assert len(good["samples"]) == 5
    assert bad["errors"][0]["path"] == ["parameters", "a", "vales"]
    assert (bad["errors"][0]["line"], bad["errors"][0]["column"]) == (2, 18)
