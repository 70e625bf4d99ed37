"""The JSON Schema of sweep files, for editors: completion, and a description on every key."""

from __future__ import annotations

from typing import Any

from sweeper.definition.sweep_definition import SweepDefinition

DRAFT = "http://json-schema.org/draft-07/schema#"
"""The draft that VS Code's YAML extension knows. Pydantic's own, 2020-12, differs from it in `$defs` alone."""


def sweep_schema() -> dict[str, Any]:
    """Make the schema of a sweep file.

    It cannot say everything: that `min` is below `max`, for example, only `sweeper check` finds.
    """
    schema = _plain(SweepDefinition.model_json_schema())
    return {"$schema": DRAFT, "title": "Sweep file", **schema}


def _plain(node: Any) -> Any:
    """Say it as people write it: no key is null, and whole limits fit two forms of a parameter."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _plain(value) for key, value in node.items() if key != "title" or not isinstance(value, str)}
    if "mapping" in plain.get("discriminator", ()):
        del plain["discriminator"]  # OpenAPI's word; every choice names its type
    if "oneOf" in plain:
        plain["anyOf"] = plain.pop("oneOf")
    # else an editor would accept every name of a parameter that the pattern refuses
    if "patternProperties" in plain:
        plain["additionalProperties"] = False
    choices = [choice for choice in plain.get("anyOf", ()) if choice != {"type": "null"}]
    if "anyOf" in plain and len(choices) < len(plain["anyOf"]):
        del plain["anyOf"], plain["default"]
        return {**(choices[0] if len(choices) == 1 else {"anyOf": choices}), **plain}
    return plain
