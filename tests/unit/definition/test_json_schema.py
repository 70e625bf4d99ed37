"""The JSON Schema that editors use."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from sweeper.cli import app
from sweeper.definition.json_schema import sweep_schema
from sweeper.definition.parameters import FORMS

SWEEPS = Path(__file__).parents[3] / "sweeps"
FILES = sorted(SWEEPS.glob("*.yaml"))
VALIDATOR = jsonschema.Draft7Validator(sweep_schema())


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for item in node.values():
            yield from objects(item)
    elif isinstance(node, list):
        for item in node:
            yield from objects(item)


def test_the_schema_is_a_schema():
    """Draft 7, which VS Code's YAML extension knows."""
    jsonschema.Draft7Validator.check_schema(sweep_schema())


def test_every_key_is_described():
    """Hovering over any key says what it is for."""
    schema = sweep_schema()
    bare = [
        name for node in objects(schema) for name, key in node.get("properties", {}).items() if "description" not in key
    ]
    assert bare == []


def test_nothing_in_it_is_unknown_to_json_schema():
    """An editor ignores what it does not know (pydantic's `ge`), and so would check less than it seems to."""
    known = set(jsonschema.Draft7Validator.META_SCHEMA["properties"]) | {"$defs"}
    names = {key for node in objects(sweep_schema()) for key in node.get("properties", {})}
    strange = {key for node in objects(sweep_schema()) for key in node} - known - names - set(sweep_schema()["$defs"])
    assert {key for key in strange if not key.startswith("^")} == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_shipped_sweeps_fit_the_schema_and_name_it(file):
    """Opened in an editor, they complete and explain themselves."""
    text = file.read_text()
    VALIDATOR.validate(yaml.safe_load(text))
    assert "# yaml-language-server: $schema=sweep.schema.json" in text.splitlines()


def test_the_shipped_schema_is_the_one_that_the_command_prints():
    """`sweeper schema > sweeps/sweep.schema.json` renews it."""
    printed = CliRunner().invoke(app, ["schema"]).stdout
    assert json.loads(printed) == sweep_schema()
    assert (SWEEPS / "sweep.schema.json").read_text() == printed


@pytest.mark.parametrize("distribution", FORMS)
def test_every_distribution_is_offered(distribution):
    """Completion knows them all."""
    offered = {node.get("const") for node in objects(sweep_schema())}
    assert distribution in offered


@pytest.mark.parametrize(
    "text",
    [
        "method: bayess\nparameters: {a: {value: 1}}",
        "method: random\nparameters: {a: {vales: [1]}}",
        "method: random\nparameters: {a: {distribution: unifrm, min: 0, max: 1}}",
        "method: random\nparameters: {a: {lr: {value: 1}}}",
        "method: random\nparameters: {1a: {value: 1}}",
        "method: random\nrun_cap: 0\nparameters: {a: {value: 1}}",
        "method: random\nmetric: {name: a, goal: maximise}\nparameters: {a: {value: 1}}",
    ],
)
def test_an_editor_underlines_the_common_mistakes(text):
    """Most of them without running anything."""
    assert not VALIDATOR.is_valid(yaml.safe_load(text))


def test_the_schema_needs_nothing_heavy():
    """It is printed without torch, wandb or a search engine."""
    heavy = ("torch", "wandb", "optuna", "numpy")
    code = f"import sys, sweeper.definition.json_schema; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
