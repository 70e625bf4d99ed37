"""Which launcher a launch gets: the one place that names any."""

from __future__ import annotations

from collections.abc import Mapping

from sweeper.launch.launcher import Launcher
from sweeper.launch.local import LocalLauncher


def launcher_for(environ: Mapping[str, str]) -> Launcher:
    """Choose what starts the workers: processes of this machine, with the environment that is given."""
    return LocalLauncher(environ)
