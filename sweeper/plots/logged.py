"""What a run logged, sorted into what is drawn of it: numbers over an axis, histograms, media, tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

STEP, RUNTIME, TIME = "_step", "_runtime", "_timestamp"
OWN_AXES = (STEP, RUNTIME, TIME)


@dataclass(frozen=True, slots=True)
class File:
    """A file of the run that was logged at a step, by its path, with what was said of it."""

    path: str
    caption: str = ""


def kinds(entry: Mapping[str, Any]) -> dict[str, int]:
    """Read out of a key's statistics how often it was logged as what."""
    return {str(known.get("type")): int(known.get("count", 0)) for known in entry.get("typeCounts", ())}


def axes(defined: Any, keys: Sequence[str]) -> dict[str, str]:
    """Say which axis `run.define_metric` gave to which key.

    Args:
        defined: The list that the SDK keeps in its part of the config (`m`): "1" is a name, "2" a pattern, "5" the
            number of the entry that is the axis, counted from 1, "4" its name where it has no entry (wandb 0.31).
        keys: The keys that were logged.
    """
    entries = [entry for entry in defined if isinstance(entry, Mapping)] if isinstance(defined, list) else []
    if isinstance(defined, list) and len(entries) != len(defined):
        return {}
    found: dict[str, str] = {}
    # names count for more than patterns, and of two patterns the later
    for entry in sorted(entries, key=lambda entry: isinstance(entry.get("1"), str)):
        axis, name, pattern = _axis(entry, entries), entry.get("1"), entry.get("2")
        if not axis:
            continue
        for key in keys:
            fits = key == name if isinstance(name, str) else isinstance(pattern, str) and fnmatchcase(key, pattern)
            if fits and key != axis:
                found[key] = axis
    return found


def _axis(entry: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> str:
    place, name = entry.get("5"), entry.get("4")
    if isinstance(place, int) and 0 < place <= len(entries):
        name = entries[place - 1].get("1")
    return name if isinstance(name, str) else ""


def files(value: Any) -> Iterator[File]:
    """Give the files of a media value, however the SDK puts several into one: as names, or as values in each other."""
    if isinstance(value, list):
        for inner in value:
            yield from files(inner)
    if not isinstance(value, Mapping):
        return
    if isinstance(value.get("path"), str):
        yield File(value["path"], _text(value.get("caption")))
        return
    captions = value.get("captions")
    names = value.get("filenames")
    if isinstance(names, list):
        said = captions if isinstance(captions, list) else []
        yield from (File(str(name), _text(said[i]) if i < len(said) else "") for i, name in enumerate(names))
        return
    for inner in value.values():
        if isinstance(inner, list):
            yield from files(inner)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
