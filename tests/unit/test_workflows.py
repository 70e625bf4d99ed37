"""What the hosted workflows may do, and that a release is one tag. `make check` checks them against their schema."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import sweeper

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@(?:v\d+|release/v\d+|[0-9a-f]{40})|\./\.github/workflows/\w+\.yml")


def _read(path: Path) -> dict[str, Any]:
    # BaseLoader makes text of every scalar: to the others a bare `on` is True
    return dict(yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader))  # noqa: S506


def _steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [job])]


def test_a_push_passes_the_gates_and_a_tag_makes_a_release() -> None:
    """What anybody can run is what CI runs, on every supported Python; a release passes it before it is built."""
    ci, release = map(_read, WORKFLOWS)
    assert {"push", "pull_request", "workflow_call"} <= ci["on"].keys()
    assert "bash .ci/run" in [step.get("run") for step in _steps(ci)]
    assert ci["jobs"]["gates"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert release["on"] == {"push": {"tags": ["v*"]}}
    needs = {name: job.get("needs") for name, job in release["jobs"].items()}
    assert needs == {"tag": None, "gates": "tag", "build": "gates", "publish": "build"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_no_more_than_it_must(path: Path) -> None:
    """It reads the code, with no secret; only the job that publishes, which runs no code of ours, has an identity."""
    workflow = _read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in path.read_text(encoding="utf-8")
    for name, job in workflow["jobs"].items():
        assert job.get("permissions", {}) == ({"id-token": "write"} if name == "publish" else {})
    assert not any("run" in step for step in workflow["jobs"].get("publish", {}).get("steps", []))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_nothing_that_it_does_not_know(path: Path) -> None:
    """Actions have a version, and no name that an outsider chose, such as a branch's, becomes part of a command."""
    steps = _steps(_read(path))
    assert [step["uses"] for step in steps if "uses" in step and not _PINNED.fullmatch(step["uses"])] == []
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize(
    ("tag", "heading", "fine"),
    [
        (f"v{sweeper.__version__}", sweeper.__version__, True),
        (sweeper.__version__, sweeper.__version__, False),
        ("v99.0.0", "99.0.0", False),
        (f"v{sweeper.__version__}", "Unreleased", False),
    ],
    ids=["a release", "a tag without v", "another version", "not in the changelog"],
)
def test_a_release_has_one_version(tmp_path: Path, tag: str, heading: str, fine: bool) -> None:
    """The tag, the package and the changelog must agree before anything is built."""
    script = next(step["run"] for step in _steps(_read(WORKFLOWS[1])) if "GITHUB_REF_NAME" in step.get("run", ""))
    (tmp_path / "CHANGELOG.md").write_text(f"## [{heading}] - 2026-01-01\n")
    (tmp_path / "sweeper").symlink_to(ROOT / "sweeper")
    environ = {"PATH": os.environ["PATH"], "GITHUB_REF_NAME": tag, "PYTHONDONTWRITEBYTECODE": "1"}
    bash = shutil.which("bash")
    assert bash is not None, "the project is tested by bash"
    done = subprocess.run([bash, "-e", "-c", script], cwd=tmp_path, env=environ, capture_output=True)
    assert (done.returncode == 0) is fine, done.stderr.decode()
