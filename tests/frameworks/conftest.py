"""A user who types in docs/frameworks.md, where the frameworks are installed, and asks W&B's API what came of it."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
import textwrap
import urllib.parse
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, User, open_direct

FRAMEWORKS = ROOT / ".cache" / "frameworks"
TIMEOUT_S = 300
"""Two runs, for each of which two processes may import torch and Lightning."""
FILES = Path(__file__).parent / "files"
# what is logged is sent at once, as `sweeper launch` has it; a thread for each of the tests; no model is fetched
QUIET = {"WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
BLOCK = re.compile(r"^```\w+\n(# (\S+\.\w+)\n.*?)^```$", re.MULTILINE | re.DOTALL)
_, *PARTS = re.split(r"^## ", (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
SECTIONS = {part.partition("\n")[0]: BLOCK.findall(part) for part in PARTS}


class Told(dict[str, Any]):
    """What `wandb.Api` tells of a run: see `files/asked.py`."""

    def logged(self, key: str) -> list[Any]:
        """Take what it logged under a key, in order."""
        return [row[key] for row in self["rows"] if row.get(key) is not None]


@dataclass(frozen=True)
class Bench:
    """A user with the frameworks, in a folder of their own, at a server of their own.

    Attributes:
        user: Who that is.
        python: The interpreter that has the frameworks.
    """

    user: User
    python: Path

    def type_in(self, section: str, *files: str) -> None:
        """Type in the files of a section.

        Args:
            section: Its heading.
            files: What it calls the user's own, from `files/`.
        """
        for text, name in SECTIONS[section]:
            self.user.write(name, text)
        for name in files:
            shutil.copy(FILES / name, self.user.folder / name)

    def create(self, file: str) -> str:
        """Create a sweep; give its path."""
        return str(self.user.told("create", file)["sweep"])

    def launch(self, *options: str) -> str:
        """Work on the sweep created last, on one slot; give all that was printed."""
        done = self.user.run("launch", "--workers", "1", *options)
        return done.stdout + done.stderr

    def agent(self, sweep: str) -> str:
        """Work on a sweep by the SDK's own agent, as a user of W&B would; give all that was printed."""
        return self._run("-m", "wandb", "agent", sweep)

    def script(self, file: str) -> str:
        """Run a script with the frameworks; give all that it printed, stdout last."""
        return self._run(file)

    def says(self, code: str) -> Any:
        """Run a few lines that use the SDK, and read the JSON that they print last."""
        return json.loads(self._run("-c", textwrap.dedent(code)).splitlines()[-1])

    def sweeps(self, project: str) -> list[str]:
        """Ask `wandb.Api` for the paths of a project's sweeps."""
        names = f"['/'.join(sweep.path) for sweep in wandb.Api().project({project!r}).sweeps()]"
        return list(self.says(f"import json, wandb\nprint(json.dumps({names}))"))

    def runs(self, sweep: str) -> list[Told]:
        """Ask `wandb.Api` for a sweep's runs, the oldest first, and for all that each has logged."""
        return [Told(run) for run in json.loads(self._run(FILES / "asked.py", sweep).splitlines()[-1])]

    def page(self, run: dict[str, Any], what: str, **asked: str) -> Any:
        """Ask for what the page of a run draws."""
        sdk = self.user.sdk()
        path = f"/-/data/local/{run['project']}/runs/{run['id']}/{what}?{urllib.parse.urlencode(asked)}"
        request = urllib.request.Request(sdk["WANDB_BASE_URL"] + path)  # noqa: S310 - our own server
        key = base64.b64encode(f"api:{sdk['WANDB_API_KEY']}".encode()).decode()
        request.add_header("Authorization", f"Basic {key}")
        with open_direct(request) as answer:
            return json.loads(answer.read())

    def chart(self, run: dict[str, Any], key: str) -> Any:
        """Ask for what is drawn of a chart that a run logged."""
        return self.page(run, "custom", key=key)["drawing"]

    def _run(self, *arguments: object) -> str:
        """Run Python with the frameworks; give what it printed, stdout last."""
        process = subprocess.Popen(
            [str(self.python), *map(str, arguments)],
            cwd=self.user.folder,
            env={**self.user.environ, **self.user.sdk()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.user.started.append(process)
        stdout, stderr = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0, f"{stdout}\n{stderr}\n{self.user.logs()}"
        return f"{stderr}\n{stdout}"


@pytest.fixture
def bench(user: User) -> Bench:
    """A user whose `python` and `sweeper` have the frameworks."""
    if not (FRAMEWORKS / ".installed").exists():
        pytest.skip("no frameworks here: `make test-frameworks` installs them, where the index of packages has them")
    python = FRAMEWORKS / "bin" / "python"
    environ = {**user.environ, **QUIET, "PATH": f"{python.parent}:{Path(sys.executable).parent}:{user.environ['PATH']}"}
    return Bench(replace(user, environ=environ, sweeper=(str(python), "-m", "sweeper")), python)
