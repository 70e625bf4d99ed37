"""A machine whose clock jumps and whose disk is slow: `files/chaos_libc.c`, which processes are started with."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).parent / "files" / "chaos_libc.c"


class Machine:
    """Decides about the clock and the disk of the processes that have its environment, while they run.

    Args:
        folder: Where its library and its file lie.

    Attributes:
        environ: What makes a process obey; nothing where there is no C compiler.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "machine"
        self._is: dict[str, float] = {"clock": 0.0, "fsync": 0.0, "eio": 0.0}
        self.set()
        library, compiler = folder / "chaos_libc.so", shutil.which("cc") or shutil.which("gcc")
        self.environ: Mapping[str, str] = {}
        if compiler is not None:
            command = [compiler, "-std=gnu11", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
            subprocess.run(command, check=True, capture_output=True)
            self.environ = {"LD_PRELOAD": str(library), "CHAOS_MACHINE": str(self._file)}

    def set(self, **values: float) -> None:
        """Have the wall clock be off by `clock` seconds, an fsync take `fsync` more, and fail with the chance `eio`."""
        self._is |= values
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("ddd", self._is["clock"], self._is["fsync"], self._is["eio"]))
