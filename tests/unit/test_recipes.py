"""The recipes for Apptainer and SkyPilot agree with what the project builds and with the command that they start."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEFINITION = (ROOT / "docker" / "apptainer" / "sweeper.def").read_text(encoding="utf-8")
TASK = yaml.safe_load((ROOT / "docker" / "skypilot.yaml").read_text(encoding="utf-8"))


def _section(name: str) -> str:
    found = re.search(rf"^%{name}\n(.*?)(?=^%|\Z)", DEFINITION, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_apptainer_packs_what_is_there() -> None:
    """Files of the clone, but for dist/, which `make dist` makes."""
    sources = [line.split()[0] for line in _section("files").splitlines() if line.strip()]
    assert [source for source in sources if not (ROOT / source).exists()] in ([], ["dist"])


def test_apptainer_starts_from_the_dockerfile_s_base() -> None:
    """The same image, so that what is tried in the one holds for the other."""
    header = dict(line.split(": ") for line in DEFINITION.splitlines() if re.match(r"[A-Z]\w+: ", line))
    assert header["Bootstrap"] == "docker"
    assert f"ARG BASE={header['From']}\n" in (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")


def test_apptainer_names_an_extra_and_the_licence_of_the_project() -> None:
    """As pyproject.toml has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert _section("arguments").split() == ["EXTRA=trainer"]
    assert "trainer" in project["optional-dependencies"]
    assert "Apache-2.0" in _section("labels")


@pytest.mark.parametrize("section", ["post", "environment", "runscript", "test"])
def test_apptainer_s_scripts_are_shell(section: str) -> None:
    """In the sh that it runs them with; its own words for arguments are no fault there."""
    done = subprocess.run(["/bin/sh", "-n"], input=_section(section), text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("script", ["setup", "run"])
def test_skypilot_s_scripts_are_shell(script: str) -> None:
    """SkyPilot runs them by bash."""
    done = subprocess.run(["/bin/bash", "-n"], input=TASK[script], text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_skypilot_keeps_the_key_to_itself() -> None:
    """It is a secret without a value, goes into a file of its user's alone, and is on no command line."""
    assert TASK["secrets"] == {"SWEEPER_KEY": None}
    assert not [name for name in TASK["envs"] if "KEY" in name]
    last = TASK["run"].splitlines()[-1]
    assert "--key-file" in last
    assert "SWEEPER_KEY" not in last
    assert "umask 077" in TASK["run"]
