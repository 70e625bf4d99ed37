"""The files that install, build and ship the project agree with one another."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sweeper.definition.program import SHIPPED_NEEDS

ROOT = Path(__file__).parents[2]
_PIN = re.compile(r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)==(?P<version>[0-9][0-9a-z.]*)")
# Where packages come from belongs to the user's own settings: no file says it in any tool's words.
_INDEX = re.compile(
    rb"(?i)(?:(?:index(?:[-_]url)?|find[-_]links|registry|resolved)\W+(?:(?:name|default)\W+\w+\W+)*(?:url\W+)?"
    rb"|\s-f\s|\w @ (?:\w+\+)?|\bdeb (?:\[[^]]*\] )?)(?:https?|file)://"
)
_LOCKS = ("*.lock", "pylock*.toml", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml")
# A home belongs to one machine. (The brackets keep this file from matching.)
_HOME = re.compile(rb"/[r]oot/|/[h]ome/\w|/[U]sers/\w|/[w]ork/(?:main|shared)\b|/[t]mp/w/")


def _pin_lines() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def _pins() -> dict[str, str]:
    return {match["name"]: match["version"] for line in _pin_lines() if (match := _PIN.fullmatch(line))}


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _requirements() -> list[Requirement]:
    project = _pyproject()["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def _instructions(word: str) -> list[str]:
    """Give the arguments of every `word` instruction of the Dockerfile, continued lines joined."""
    text = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.removeprefix(word).strip() for line in text.splitlines() if line.startswith(f"{word} ")]


def _stages() -> list[str]:
    return [arguments.split(" AS ")[1] for arguments in _instructions("FROM")]


def _services() -> dict[str, dict[str, Any]]:
    compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))
    return dict(compose["services"])


def _git(*arguments: str) -> bytes:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    return subprocess.run([git, "-C", ROOT, *arguments], check=True, capture_output=True).stdout


def test_every_constraint_is_a_name_and_one_version() -> None:
    """constraints.txt has no markers, hashes, paths or addresses."""
    assert [line for line in _pin_lines() if not _PIN.fullmatch(line)] == []


def test_constraints_are_sorted_and_stand_once() -> None:
    """A renewal of constraints.txt gives a small diff."""
    names = [line.split("==")[0] for line in _pin_lines()]
    assert names == sorted(names)
    assert [name for name, times in Counter(names).items() if times > 1] == []


@pytest.mark.parametrize("requirement", _requirements(), ids=lambda requirement: requirement.name)
def test_a_direct_dependency_is_pinned_within_its_bounds(requirement: Requirement) -> None:
    """Whatever pyproject.toml asks for, extras too, has a pin that satisfies it."""
    pin = _pins().get(canonicalize_name(requirement.name), "")
    assert pin
    assert pin in requirement.specifier


def test_pytorch_comes_with_the_shipped_trainer_alone() -> None:
    """Whoever brings a trainer keeps the PyTorch they have; what a launch asks for, the extra it names brings."""
    project = _pyproject()["project"]
    extra = {Requirement(line).name for line in project["optional-dependencies"]["trainer"]}
    assert extra >= {"torch", "torchvision", *SHIPPED_NEEDS}
    assert not extra & {Requirement(line).name for line in project["dependencies"]}


def test_the_version_stands_once() -> None:
    """The package has it; pyproject.toml reads it there, so a tag has one thing to agree with."""
    assert "version" not in _pyproject()["project"]
    assert _pyproject()["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "sweeper.__version__"}


def test_the_dockerfile_builds_a_server_and_a_worker() -> None:
    """Both targets exist."""
    assert {"server", "worker"} <= set(_stages())


def test_the_base_image_is_a_build_argument() -> None:
    """Every stage starts from BASE or from an earlier stage."""
    assert any(argument.startswith("BASE=") for argument in _instructions("ARG"))
    assert {line.split(" AS ")[0] for line in _instructions("FROM")} <= {"${BASE}", *_stages()}


def test_containers_do_not_run_as_root() -> None:
    """The last user is a number other than 0, so Kubernetes can check it."""
    assert int(_instructions("USER")[-1]) > 0


@pytest.mark.parametrize("word", ["ENTRYPOINT", "CMD"])
def test_container_commands_get_signals(word: str) -> None:
    """Commands have the exec form: no shell stands between them and a signal."""
    assert all(isinstance(yaml.safe_load(arguments), list) for arguments in _instructions(word))
    assert _instructions(word)


def test_the_dockerfile_copies_what_is_there_and_let_in() -> None:
    """Each source of a COPY exists and .dockerignore lets it through."""
    let_in = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    sources = [source for arguments in _instructions("COPY") for source in arguments.split()[:-1]]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources if f"!{source}" not in let_in] == []


def test_compose_builds_targets_of_the_dockerfile() -> None:
    """Every service names a Dockerfile that exists and a target in it."""
    builds = [service["build"] for service in _services().values()]
    assert {(ROOT / "docker" / build["context"] / build["dockerfile"]).resolve() for build in builds} == {
        ROOT / "docker" / "Dockerfile"
    }
    assert {build["target"] for build in builds} <= set(_stages())


def test_the_quickstart_waits_for_a_healthy_server() -> None:
    """Compose starts it when the server's health check passes, and there is such a check."""
    assert _services()["quickstart"]["depends_on"] == {"server": {"condition": "service_healthy"}}
    assert any('"server", "status", "--data", "/data"' in options for options in _instructions("HEALTHCHECK"))


def test_compose_holds_no_key() -> None:
    """No environment carries a key; server and workers read one file, which git and the images leave out."""
    compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))
    names = {name for service in _services().values() for name in service.get("environment", {})}
    assert [name for name in names if "KEY" in name] == ["SWEEPER_KEY_FILE"]
    assert compose["secrets"] == {"api-key": {"file": "./secrets/api-key"}}
    assert all(service["secrets"] == ["api-key"] for service in _services().values())
    assert "/docker/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_every_file_beside_the_code_is_installed_with_it() -> None:
    """Digits, SQL, schema and pages are all package data."""
    data = _pyproject()["tool"]["setuptools"]["package-data"]
    beside = {
        path
        for package in ("sweeper", "trainer")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    installed = {
        path for package, patterns in data.items() for pattern in patterns for path in (ROOT / package).glob(pattern)
    }
    assert beside - installed == set()


def _files() -> list[Path]:
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    paths = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    assert paths
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("pattern", [_INDEX, _HOME], ids=["an index", "a home"])
def test_no_file_names(pattern: re.Pattern[bytes]) -> None:
    """The project installs from wherever the user's own settings point, on whatever machine."""
    found = {str(path.relative_to(ROOT)): pattern.findall(path.read_bytes()) for path in _files()}
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_no_lock_file_is_kept() -> None:
    """Each would name the index of whoever made it, package by package; constraints.txt names none."""
    assert [path for path in _files() for lock in _LOCKS if path.match(lock)] == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url {}",
        "pip install -q --extra-index-url={} torch",
        "uv pip install --default-index '{}'",
        "uv pip install --index {}",
        "PIP_INDEX_URL={}",
        "ENV UV_DEFAULT_INDEX={}",
        "find-links = {}",
        "pip install -f {} torch",
        "registry={}",
        '"resolved": "{}"',
        'index = [{{ url = "{}" }}]',
        '[[tool.uv.index]]\nname = "own"\nurl = "{}"',
        'source = {{ registry = "{}" }}',
        "torch @ {}",
        "sweeper @ git+{}",
        "deb [trusted=yes] {} stable main",
        "deb {} stable main",
    ],
)
def test_an_index_is_recognised(line: str) -> None:
    """Every way in which pip, uv, npm and apt are told where packages lie is one that the test above finds."""
    assert _INDEX.search(line.format("http" + "s://packages.example/simple").encode())
