"""Transaction logs, `run-ID.wandb`: what the SDK writes of a run beside sending it, and what `wandb sync` reads.

The framing is that of LevelDB's log format (https://github.com/google/leveldb, doc/log_format.md) behind a header of
W&B's, with plain CRC-32 (wandb 0.18 to 0.31); the SDK has no reader in Python since 0.31. The records are its own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

Record = Any
"""`Record` of the SDK's `wandb_internal.proto`, or a message in one: they come without types."""

BLOCK = 32768
_HEADER = 7  # of the file; the frame of a part has as many bytes
_FRAME = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = range(1, 5)


def new_record() -> Record:
    """Make an empty record."""
    from wandb.proto.wandb_internal_pb2 import Record as Message  # type: ignore[attr-defined]  # made at run time

    return Message()


def header(path: Path) -> bytes:
    """Read the header of a log: it holds the version of its form, so a log made from it has the same."""
    with path.open("rb") as file:
        return file.read(_HEADER)


def read(path: Path) -> Iterator[Record]:
    """Read the records of a log, up to where a process that was killed left it torn."""
    whole = b""
    with path.open("rb") as file:
        for kind, part in _parts(file):
            whole = part if kind in {_FULL, _FIRST} else whole + part
            if kind in {_FULL, _LAST}:
                record = new_record()
                record.ParseFromString(whole)
                yield record


def _parts(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    block = file.read(BLOCK)[_HEADER:]
    while block:
        at = 0
        while at + _FRAME.size <= len(block):
            checksum, length, kind = _FRAME.unpack_from(block, at)
            if not kind:  # the rest of a block that was left empty
                break
            part = block[at + _FRAME.size : at + _FRAME.size + length]
            if zlib.crc32(bytes([kind]) + part) != checksum:
                return
            yield kind, part
            at += _FRAME.size + length
        block = file.read(BLOCK)


def write(path: Path, head: bytes, records: Iterable[Record]) -> None:
    """Write a log.

    Args:
        path: Where to.
        head: The header of the log that it is made from.
        records: Its records; they are numbered anew.
    """
    with path.open("wb") as file:
        at = file.write(head)
        for number, record in enumerate(records, start=1):
            record.num = number
            at = _write_record(file, at, record.SerializeToString())


def _write_record(file: BinaryIO, at: int, data: bytes) -> int:
    """Write one record in as many parts as it takes; give the place in the block behind it."""
    begins = True
    while begins or data:
        if BLOCK - at < _FRAME.size:
            file.write(bytes(BLOCK - at))
            at = 0
        room = BLOCK - at - _FRAME.size
        part, data = data[:room], data[room:]
        kind = {(True, True): _FULL, (True, False): _FIRST, (False, False): _MIDDLE, (False, True): _LAST}
        number = kind[begins, not data]
        file.write(_FRAME.pack(zlib.crc32(bytes([number]) + part), len(part), number) + part)
        at = (at + _FRAME.size + len(part)) % BLOCK
        begins = False
    return at
