"""The SDK's own commands, `wandb sweep` and `wandb sync`, started where nobody else's files are."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sweeper.processes import python


def run(
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    keep_open: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """Run `wandb ...` in a folder of its own.

    In the user's folder it would import what lies there and follow its `wandb/settings`; and where that holds no
    `wandb`, its log goes to a name in /tmp that anybody can have linked elsewhere (wandb 0.31).

    Args:
        arguments: The command's; paths are absolute.
        environ: Points the SDK at the server; by default this process's, as `connect` has left it.
        timeout_s: After how long it is killed.
        keep_open: Files that it keeps open for as long as it lives.

    Raises:
        subprocess.TimeoutExpired: It took too long.
    """
    with tempfile.TemporaryDirectory(prefix="sweeper-") as folder:
        (Path(folder) / "wandb").mkdir()
        env = {**(os.environ if environ is None else environ), "WANDB_DIR": folder}  # noqa: TID251 see sdk.connect
        return subprocess.run(
            python("-m", "wandb", *arguments),
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            pass_fds=keep_open,
            stdin=subprocess.DEVNULL,
        )
