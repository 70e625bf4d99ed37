"""A file as a page shows it: as text, as a table, or as what it is where neither would say anything."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

MODELS = "/-/models"
"""Below it a model is drawn (`http/models.py`)."""
MOST_TEXT = 256 * 2**10
"""Bytes of a text that are shown: five thousand lines."""
MOST_JSON = 2 * 2**20
"""Bytes of JSON that is read as such; a longer one is shown as the text that it is."""
MOST_ROWS, MOST_COLUMNS, MOST_CELL = 500, 200, 500
_LOOKED_AT = 8192
"""Bytes in which a file that is no text has a zero."""
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".svg", ".ico", ".avif"})
"""What browsers draw; as a picture an SVG runs no script."""
_MODEL = re.compile(
    r".+\.(onnx|ort|ptl?|pth|pt2|torchscript|safetensors|h5|hdf5|keras|tflite|pb|gguf|mlmodel|caffemodel|pdmodel|xmodel"
    r"|npz|joblib|mar|dlc|circle)",
    re.IGNORECASE,
)
"""Ends of names of models that Netron draws."""
_SEPARATED = {".csv": ",", ".tsv": "\t"}


def kind_of(path: str) -> str:
    """Say by a file's name how it is shown: `image`, `model` (by Netron), or `text` for what is to be looked into."""
    if _MODEL.fullmatch(path):
        return "model"
    return "image" if PurePosixPath(path).suffix.lower() in IMAGES else "text"


def drawn_at(path: str, *names: str) -> str | None:
    """Give the address that shows a file drawn, if it is a model.

    Args:
        path: Its name.
        names: Entity, project, and what it is a file of.
    """
    place = "/".join(quote(name, safe="") for name in names)
    return f"{MODELS}/{place}/{quote(path)}" if kind_of(path) == "model" else None


def preview(place: Path, name: str) -> dict[str, Any]:
    """Give what a page shows of a file.

    Args:
        place: Where it lies.
        name: Its name, by whose end it is read as a table or as JSON.

    Returns:
        `kind`: `text`, `table` or `binary`; of a text its `text`, of a table its `columns` and `rows`; `cut` where
        there is more.

    Raises:
        OSError: It cannot be read.
    """
    size = place.stat().st_size
    ending = PurePosixPath(name).suffix.lower()
    most = MOST_JSON if ending == ".json" and size <= MOST_JSON else MOST_TEXT
    with place.open("rb") as file:
        content = file.read(most)
    if b"\0" in content[:_LOOKED_AT]:
        return {"kind": "binary"}
    is_cut = size > len(content)
    text = content.decode(errors="ignore" if is_cut else "replace")
    if ending in _SEPARATED and (table := _separated(text, _SEPARATED[ending], is_cut=is_cut)):
        return table
    if ending == ".json" and not is_cut and (found := _json(text)):
        return found
    return {"kind": "text", "text": text[:MOST_TEXT], "cut": is_cut or len(text) > MOST_TEXT}


def _separated(text: str, separator: str, *, is_cut: bool) -> dict[str, Any] | None:
    """Read a table of lines; None if it is none."""
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=separator, strict=True))
    except csv.Error:
        return None
    if is_cut:
        rows = rows[:-1]  # the last line may have been cut
    return _table(rows[0], rows[1:], is_cut=is_cut) if len(rows) > 1 else None


def _json(text: str) -> dict[str, Any] | None:
    """Lay JSON out, as a table if it is one that the SDK wrote; None if it is no JSON."""
    try:
        found = json.loads(text)
        if _is_table(found):
            return _table(found["columns"], found["data"])
        laid_out = json.dumps(found, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    return {"kind": "text", "text": laid_out[:MOST_TEXT], "cut": len(laid_out) > MOST_TEXT}


def _is_table(found: Any) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("columns"), list):
        return False
    rows = found.get("data")
    return isinstance(rows, list) and all(isinstance(row, list) for row in rows)


def _table(columns: list[Any], rows: list[list[Any]], *, is_cut: bool = False) -> dict[str, Any]:
    shown = [[_cell(cell) for cell in row[:MOST_COLUMNS]] for row in rows[:MOST_ROWS]]
    more = is_cut or len(rows) > MOST_ROWS or len(columns) > MOST_COLUMNS
    names = [str(name)[:MOST_CELL] for name in columns[:MOST_COLUMNS]]
    return {"kind": "table", "columns": names, "rows": shown, "count": None if is_cut else len(rows), "cut": more}


def _cell(cell: Any) -> Any:
    """Give a cell: a number, a truth value or None as it is, all others as text."""
    if cell is None or isinstance(cell, int | float):
        return cell
    return (cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False))[:MOST_CELL]
