"""Values of parameters, told apart as JSON tells them apart."""

from __future__ import annotations

import json
from typing import Any


def is_number(value: object) -> bool:
    """Whether it is a number; JSON's truths are none, though Python counts with them."""
    return isinstance(value, int | float) and not isinstance(value, bool)


_KEYS = json.JSONEncoder(sort_keys=True, default=str)  # made once: json.dumps would make one for every value


def json_key(value: Any) -> str:
    """Give a text that is equal for equal JSON values: tells `1` from `True`, but not `1` from `1.0`."""
    # W&B's grid (`sweeps` 0.3.0) takes 1.0 for 1 too when it looks for what it has given out
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _KEYS.encode(value)
