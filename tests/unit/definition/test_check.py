"""What `sweeper check` finds in a file, and what it shows of it."""

from __future__ import annotations

import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest

from sweeper.definition import import_probe
from sweeper.definition.check import Look, check, check_document, check_file
from sweeper.definition.yaml_document import Document
from sweeper.errors import DefinitionError, TrainerError

SWEEPS = sorted((Path(__file__).parents[3] / "sweeps").glob("*.yaml"))
GOOD = (Path(__file__).parents[2] / "data" / "good.yaml").read_text()


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


def test_a_real_parameter_of_the_trainer_gets_the_number_that_yaml_reads_as_text():
    """The shipped trainer declares its learning rate as a real number, and its epochs as a whole one."""
    text = "method: random\nprogram: trainer/train.py\n"
    text += "parameters: {learning_rate: {values: [1e-5, 0.1]}, epochs: {value: 2}}"
    found = check(text, "my.yaml")
    assert found.faults == ()
    [warning] = found.warnings
    assert warning.message == "YAML reads 1e-5 as text; this trainer wants a real number and gets 1e-05"
    assert found.sweep.to_dict()["parameters"]["learning_rate"] == {"values": [1e-5, 0.1]}
    [fault] = check(text.replace("2}", "1e1}"), "my.yaml").faults
    assert "refuses '1e1'" in fault.message


@pytest.mark.parametrize(
    ("imports", "level", "fix"), [(False, "warning", "run from"), (True, "error", "on another machine: --elsewhere")]
)
def test_a_trainer_that_is_missing_weighs_more_when_a_sweep_is_created(tmp_path, monkeypatch, imports, level, fix):
    """A check may be made elsewhere; what cannot be right anywhere is an error for both."""
    monkeypatch.chdir(tmp_path)
    look = Look(tmp_path, {}, imports=imports)
    text = "method: random\nparameters: {x: {values: [1, 2]}}\nprogram: "
    found = check(text + "gone.py", "my.yaml", look=look)
    [said] = (*found.faults, *found.warnings)
    assert (said.line, said.level, fix in said.fix) == (3, level, True)
    Path("folder").mkdir()
    [said] = check(text + "folder", "my.yaml", look=look).faults
    assert "is a folder" in said.message


def test_a_trainer_that_the_user_names_is_tried_in_a_process_of_its_own(trainer):
    """Before it is imported here, where it could do anything."""
    target = trainer("import os\ntrain = print\nos._exit(3)")
    look = Look(Path(), {})
    with pytest.raises(TrainerError, match="ends Python with exit code 3"):
        check("method: random\nparameters: {x: {value: 1}}", "a", trainer=target, look=look)


def test_a_trainer_whose_import_takes_too_long_is_not_imported_here(trainer, monkeypatch):
    """It would never end in this process either; a warning says that nobody looked."""
    target = trainer("import time\nopen('imported', 'a').write('x')\ntime.sleep(3)\ndef train(): ...")
    monkeypatch.setattr(import_probe, "obstacles", partial(import_probe.obstacles, limit_s=1.0))
    found = check("method: random\nparameters: {x: {value: 1}}", "a", trainer=target, look=Look(Path(), {}))
    assert found.faults == ()
    assert [fault.message for fault in found.warnings] == [f"importing {target[:-6]} takes longer than 1 s"]
    assert Path("imported").read_text() == "x"


def test_a_name_that_no_disk_has_is_told_as_that_file_s_fault():
    """Those beside it are checked all the same."""
    with pytest.raises(DefinitionError, match="File name too long"):
        check_file(Path(f"{'a' * 300}.yaml"))


def test_a_warning_is_not_given_where_an_error_tells_the_same():
    """A command without its program: said once."""
    text = 'method: random\ncommand: [python, "${program}"]\nparameters: {x: {value: 1}}'
    [warned] = check(text, "a").warnings
    assert "${program}" in warned.message
    found = check(text, "a", look=Look(Path(), {}))
    assert [fault.path for fault in found.faults] == [warned.path]
    assert found.warnings == ()
