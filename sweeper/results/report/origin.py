"""Which versions and which machine a result is from, as the SDK noted them with the run."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import sweeper

NOTED = ("wandb-metadata.json", "requirements.txt")
"""Files that the SDK uploads with every run: its machine, and what was installed."""
PACKAGES = ("sweeper", "wandb", "torch", "torchvision", "numpy", "jax", "tensorflow", "lightning", "transformers")
MOST_BYTES = 1_000_000

Rows = tuple[tuple[str, str], ...]


def of_run(files: Sequence[Path]) -> Rows:
    """Read what the SDK noted of a run; what it did not note is left out."""
    found = {file.name: _read(file) for file in files}
    return (*_machine(_json(found.get(NOTED[0], ""))), *_packages(found.get(NOTED[1], "")))


def of_this_machine() -> Rows:
    """Tell the versions of what wrote the report."""
    rows = [("sweeper", sweeper.__version__), ("Python", platform.python_version())]
    for name in ("wandb", "torch"):
        try:
            rows.append((name, metadata.version(name)))  # without an import, which takes seconds
        except metadata.PackageNotFoundError:
            continue
    return (*rows, ("system", f"{platform.system()} {platform.machine()}"))


def _read(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(MOST_BYTES)
    except OSError:
        return ""


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _machine(noted: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pick what says where it ran; names of people, addresses and folders stay out of a file that is sent around."""
    git = noted.get("git") if isinstance(noted.get("git"), Mapping) else {}
    rows = {
        "machine": noted.get("host"),
        "system": noted.get("os"),
        "Python": noted.get("python"),
        "GPU": noted.get("gpu"),
        "GPUs": noted.get("gpu_count"),
        "CUDA": noted.get("cudaVersion"),
        "CPUs": noted.get("cpu_count"),
        "commit": (git or {}).get("commit"),
    }
    return [(name, str(value)[:200]) for name, value in rows.items() if value not in {None, ""}]


def _packages(text: str) -> list[tuple[str, str]]:
    versions = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", text, re.MULTILINE))
    return [(name, versions[name][:100]) for name in PACKAGES if name in versions]
