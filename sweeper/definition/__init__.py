"""The sweep file: YAML with places, models, warnings, and a JSON Schema of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition as SweepDefinition


def __getattr__(name: str) -> object:
    """Import the models when somebody asks for them: it takes a quarter of a second, and a status needs none."""
    if name == "SweepDefinition":
        from sweeper.definition.sweep_definition import SweepDefinition

        return SweepDefinition
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
