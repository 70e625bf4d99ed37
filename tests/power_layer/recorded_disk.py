"""What a power cut leaves: only what was synced is certain, of the rest the system may have written any part.

`power_layer.c` notes what processes did to the files below a folder; a `RecordedDisk` makes of it the folder as a
machine may find it that lost its power at any of these moments. A file holds what it held at its last fsync, a folder
the names it had at its own; no fsync of one counts for the other, as POSIX has it (file systems promise more).
"""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_HEAD = struct.Struct("<QQQQQ")
_SECTOR = 512
"""Bytes that a disk writes whole."""


@dataclass(eq=False)
class Node:
    """A file or a folder, with all that happened to it: each change and each sync with its place in the journal.

    Attributes:
        writes: Of a file, what was written: place, offset and content, or the size that it was cut to.
        changes: Of a folder, its names: place, name, what has it from then on, and where a moved one went.
        syncs: When each sync was done, what it covers, and the path by then.
        names: Of a folder, what it holds at present.
    """

    is_folder: bool
    writes: list[tuple[int, int, bytes | None]] = field(default_factory=list)
    changes: list[tuple[int, str, Node | None, Node | None]] = field(default_factory=list)
    syncs: list[tuple[int, int, str]] = field(default_factory=list)
    names: dict[str, Node] = field(default_factory=dict)

    def certain(self, cut: int, deaf: Callable[[str], bool]) -> int:
        """Give the place up to which all that happened to it is on the disk."""
        return max((covers for done, covers, path in self.syncs if done <= cut and not deaf(path)), default=0)

    def change(self, place: int, name: str, node: Node | None, went_to: Node | None = None) -> None:
        """Give a name to something else, or to nothing."""
        self.changes.append((place, name, node, went_to))
        if node is None:
            self.names.pop(name, None)
        else:
            self.names[name] = node


@dataclass
class Recording:
    """A folder whose changes are noted.

    Attributes:
        root: The folder; what it holds now is on the disk.
        journal: Where they are noted.
        library: The library that notes them.
    """

    root: Path
    journal: Path
    library: Path

    def __post_init__(self) -> None:
        self.inodes: dict[int, Node] = {}
        self.tree = self._read(self.root)

    def _read(self, place: Path) -> Node:
        node = Node(place.is_dir())
        self.inodes[place.stat().st_ino] = node
        if node.is_folder:
            for entry in place.iterdir():
                node.change(0, entry.name, self._read(entry))
        else:
            node.writes.append((0, 0, place.read_bytes()))
        return node

    @property
    def environ(self) -> dict[str, str]:
        """The variables for a process that is to be watched."""
        return {"LD_PRELOAD": str(self.library), "POWER_ROOT": str(self.root), "POWER_JOURNAL": str(self.journal)}

    def now(self) -> int:
        """Give the place in the journal where it ends now: what was acknowledged by now must outlive a later cut."""
        return self.journal.stat().st_size if self.journal.exists() else 0

    def disk(self) -> RecordedDisk:
        """Read the journal, once."""
        disk = RecordedDisk(self.tree, self.root, self.inodes)
        disk.play(self.journal.read_bytes())
        return disk


class RecordedDisk:
    """What happened below a folder, and what a power cut would have left of it.

    Attributes:
        places: Where each change of a name ends in the journal: the moments at which folders look different.
        end: Where the journal ends.
    """

    def __init__(self, tree: Node, root: Path, inodes: dict[int, Node]) -> None:
        self._tree, self._root, self._inodes = tree, root, inodes
        self._folders = [node for node in inodes.values() if node.is_folder]
        self.places: list[int] = []
        self.end = 0

    def play(self, journal: bytes) -> None:
        """Follow what was noted."""
        for place, kind, numbers, first, second in _records(journal):
            self.end = place
            if kind in "CDMUL":
                self._rename(place, kind, numbers[0], first.decode(), second.decode())
                self.places.append(place)
            elif node := self._inodes.get(numbers[0]):  # else it was made before the record began, or elsewhere
                if kind == "S":
                    node.syncs.append((place, numbers[1], self._path_of(node)))
                else:
                    node.writes.append((place, numbers[1], first if kind == "W" else None))

    def _rename(self, place: int, kind: str, inode: int, first: str, second: str) -> None:
        folder, name = self._find(first)
        if kind in "CD":
            node = self._inodes[inode] = Node(kind == "D")
            if kind == "D":
                self._folders.append(node)
            folder.change(place, name, node)
        elif kind == "U":
            folder.change(place, name, None)
        else:
            target, new = self._find(second)
            node = folder.names[name]
            target.change(place, new, node)
            if kind == "M":
                folder.change(place, name, None, target)

    def _find(self, path: str) -> tuple[Node, str]:
        *parts, name = Path(path).relative_to(self._root).parts
        node = self._tree
        for part in parts:
            node = node.names[part]
        return node, name

    def _path_of(self, node: Node) -> str:
        return next((path for path, found in _walk(self._tree, "") if found is node), "gone")

    def left(
        self,
        cut: int,
        into: Path,
        *,
        chance: random.Random | None = None,
        all_written: bool = False,
        deaf: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Make the folder as it is after the power failed.

        Args:
            cut: When, as a place in the journal.
            into: Where to make it; not there yet.
            chance: Decides what else the system had written: any part. None for nothing else.
            all_written: The system had written all: what a killed process leaves, and no power cut.
            deaf: Which syncs do nothing, by the path of what they sync.
        """
        until = {}
        for folder in self._folders:
            certain = cut if all_written else folder.certain(cut, deaf)
            pending = [place for place, *_ in folder.changes if certain < place <= cut]
            taken = chance.randint(0, len(pending)) if chance else 0
            until[folder] = max([certain, *pending[:taken]])
        self._make(self._tree, into, until, lambda node: _content(node, cut, chance, deaf, all_written=all_written))

    def _make(self, folder: Node, into: Path, until: dict[Node, int], content: Callable[[Node], bytes]) -> None:
        into.mkdir(mode=0o700)
        for name, node in _names(folder, until).items():
            if node.is_folder:
                self._make(node, into / name, until, content)
            else:
                (into / name).write_bytes(content(node))
                (into / name).chmod(0o600)


def _names(folder: Node, until: dict[Node, int]) -> dict[str, Node]:
    """Give what a folder holds when so much of every folder is on the disk."""
    names: dict[str, Node] = {}
    for place, name, node, went_to in folder.changes:
        if place > until[went_to or folder]:  # every journal of a file system has both names of a move, or neither
            continue
        if node is not None:
            names[name] = node
        elif name in names and (went_to or not (names[name].is_folder and _names(names[name], until))):
            names.pop(name, None)
    return names


def _records(journal: bytes) -> Iterator[tuple[int, str, tuple[int, int], bytes, bytes]]:
    at = 0
    while at < len(journal):
        kind, inode, number, _, sizes = _HEAD.unpack_from(journal, at)
        middle = at + _HEAD.size + (sizes >> 32)
        first = journal[at + _HEAD.size : middle]
        at = middle + (sizes & 0xFFFFFFFF)
        yield at, chr(kind), (inode, number), first, journal[middle:at]


def _walk(folder: Node, path: str) -> Iterator[tuple[str, Node]]:
    yield path, folder
    for name, node in folder.names.items():
        yield from _walk(node, f"{path}/{name}") if node.is_folder else [(f"{path}/{name}", node)]


def _content(
    node: Node, cut: int, chance: random.Random | None, deaf: Callable[[str], bool], *, all_written: bool
) -> bytes:
    certain, content = cut if all_written else node.certain(cut, deaf), bytearray()
    writes = itertools.takewhile(lambda write: write[0] <= cut, node.writes)
    for place, offset, written in writes:
        piece = written
        if place > certain:
            if chance is None or chance.random() < 0.5:
                continue
            if written is not None and len(written) > _SECTOR and chance.random() < 0.3:
                piece = written[: chance.randrange(0, len(written), _SECTOR)]
        if piece is None:
            del content[offset:]
            content.extend(bytes(offset - len(content)))
            continue
        content.extend(bytes(max(0, offset - len(content))))
        content[offset : offset + len(piece)] = piece
    return bytes(content)
