"""`sweeper schema`."""

from __future__ import annotations

import json

import typer


def schema() -> None:
    """Print the JSON Schema of sweep files, for editors.

    VS Code's YAML extension completes and explains keys if a file says so in a comment:
    # yaml-language-server: $schema=sweep.schema.json

    Example: sweeper schema > sweep.schema.json
    """
    from sweeper.definition.json_schema import sweep_schema  # the models bring pydantic

    typer.echo(json.dumps(sweep_schema(), indent=2))
