"""The sweep file: YAML with places, models, warnings, and a JSON Schema of it."""

from sweeper.definition.sweep_definition import SweepDefinition as SweepDefinition
