"""The sweep file: YAML with places, models, warnings, and a JSON Schema of it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition as SweepDefinition


def __getattr__(name: str) -> object:
    """Import the models when somebody asks for them: a worker needs this room without pydantic, half a second of it."""
    if name == "SweepDefinition":
        from sweeper.definition.sweep_definition import SweepDefinition

        return SweepDefinition
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
