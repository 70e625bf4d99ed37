"""`sweeper check`: what a person and what a script sees."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from sweeper.cli import app

GOOD = (Path(__file__).parents[2] / "data" / "good.yaml").read_text() + "command: [sh, -c, 'exit 0', '${args}']\n"


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", *args], env={"COLUMNS": "80", "TERM": "dumb"})
    return result.exit_code, result.stdout, result.stderr


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
    for word in ("trainer", "configurations", "continuous", "until stopped", "2, 6, 18", "sample 5"):
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
    assert good["trainer"] == "sh -c exit 0 ${args}"
    assert bad["errors"][0]["path"] == ["parameters", "a", "vales"]
    assert (bad["errors"][0]["line"], bad["errors"][0]["column"]) == (2, 18)


def test_a_file_without_a_program_is_checked_against_the_shipped_trainer(tmp_path, monkeypatch):
    """Nobody else could train it, where no code lies beside it; where some does, that is probably meant."""
    monkeypatch.chdir(tmp_path)
    Path("sweep.yaml").write_text("method: random\nparameters: {lr: {values: [1, 2]}}\n")
    code, _, stderr = run("sweep.yaml")
    assert code == 1
    assert "sweep.yaml:2:14: parameters.lr: the file names no `program:`" in stderr
    assert "has no parameter 'lr'" in stderr
    Path("mine.py").write_text("def train(): ...\n")
    code, _, stderr = run("sweep.yaml")
    assert (code, "1 warning" in stderr) == (0, True)
    Path("sweep.yaml").write_text("method: random\nparameters: {learning_rate: {values: [0.1, 0.2]}}\n")
    code, stdout, stderr = run("sweep.yaml")
    assert (code, "0 warnings" in stderr) == (0, True)
    assert "trainer.train:train, the shipped one: the file names no program" in " ".join(stdout.split())
