"""Users of one server: what ann has there, and each mutation that changes something of it."""

from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import dataclass
from typing import Any

from sweeper.server.graphql.context import global_id
from sweeper.server.graphql.executor import _schema
from sweeper.server.store import users
from tests.unit.server.artifact_logger import Logger, md5_of

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2, 0.3, 0.4]}}}
STUDY = {**GRID, "method": "custom", "scheduler": {"engine": "optuna"}}


@dataclass
class Team:
    """A server with a run, a sweep and an artifact of ann's, and with bob."""

    client: Any
    keys: dict[str, str]
    ids: dict[str, Any]

    @contextlib.contextmanager
    def acting(self, name):
        """Send what is sent meanwhile as somebody else."""
        headers = self.client.http.headers
        before = headers["Authorization"]
        headers["Authorization"] = "Basic " + base64.b64encode(f"api:{self.keys[name]}".encode()).decode()
        try:
            yield self.client
        finally:
            headers["Authorization"] = before

    def send(self, name, mutation, fields):
        """Send a mutation; give the status and what was said."""
        kind = _schema().type_map["Mutation"].fields[mutation].args["input"].type
        query = f"mutation($i: {kind}) {{ {mutation}(input: $i) {{ __typename }} }}"
        with self.acting(name) as client:
            answer = client.http.post("/graphql", json={"query": query, "variables": {"i": fields}})
        return answer.status_code, answer.text

    def everything(self):
        """Read all rows but those of what every look at the server changes."""
        with self.client.http.app.state.store.read() as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: [tuple(row) for row in db.execute(f"SELECT * FROM {name}")] for name in tables}  # noqa: S608


def new_team(client):
    """Make ann and bob users of a server, whose own user is `local`."""
    keys = {name: users.add_user(client.data_dir, name) for name in ("ann", "bob")}
    return Team(client, {**keys, "local": (client.data_dir / "api-key").read_text().strip()}, {})


def fill(team):
    """Let ann have a run, sweeps, and artifacts committed and begun, in the project `p`."""
    client = team.client
    with team.acting("ann"):
        ids = team.ids
        client.init("r", config="{}")
        rows = {"wandb-history.jsonl": {"content": ['{"_step": 0}', '{"_step": 1}']}}
        assert client.http.post("/files/ann/p/r/file_stream", json={"files": rows}).status_code == 200
        client.upload("r", "model.onnx", b"old")
        found = client.run("r", 'id files(names: ["model.onnx"]) { edges { node { id } } }')
        ids["run"], ids["file"] = found["id"], found["files"]["edges"][0]["node"]["id"]
        log = Logger(client)
        ids["artifact"] = log.log(runName="r", aliases=["best"])
        begun = Logger(client, name="begun")
        ids["begun"] = begun.create()["id"]
        text = begun.manifest_text({})
        begun.announce_manifest(ids["begun"], text)
        ids["md5"] = md5_of(text)
        ids["manifest"] = global_id("ArtifactManifest", "2")
        link = {
            "artifactID": ids["artifact"],
            "artifactPortfolioName": "models",
            "projectName": "p",
            "aliases": ["prod"],
        }
        assert team.send("ann", "linkArtifact", link)[0] == 200
        ids["sequence"], ids["portfolio"] = (global_id("ArtifactCollection", str(number)) for number in (1, 3))
        query = 'mutation($c: String) { upsertSweep(input: {config: $c, projectName: "p"}) { sweep { id } } }'
        for name, definition in (("sweep", GRID), ("study", STUDY)):
            ids[name] = client.graphql(query, c=json.dumps(definition))["upsertSweep"]["sweep"]["id"]


def changes(ids):
    """Give every mutation that changes something of ann's, with its input."""
    place = {"entityName": "ann", "projectName": "p"}
    run, chart = {"runName": "r", **place}, {"type": "t", "access": "a", "spec": "{}"}
    artifact, begun = {"artifactID": ids["artifact"]}, {"artifactID": ids["begun"]}
    alias = {"alias": "best", "artifactCollectionName": "data", **place}
    tags = {"artifactCollectionName": "data", "tags": [{"tagName": "t"}], **place}
    file = {**begun, "name": "a", "md5": md5_of(b"A")}
    return [
        ("upsertSweep", {"id": ids["sweep"], "config": json.dumps({**GRID, "run_cap": 1})}),
        ("upsertSweep", {"id": ids["sweep"], "state": "PAUSED"}),
        ("editSweep", {"id": ids["sweep"], "config": json.dumps({**GRID, "run_cap": 2})}),
        ("enqueueSweepRun", {"id": ids["study"], "config": '{"lr": {"value": 0.1}}'}),
        ("upsertBucket", {"id": ids["run"], "summaryMetrics": "{}", "notes": "x"}),
        ("upsertBucket", {"id": ids["run"], "host": "h"}),
        ("upsertBucket", {"name": "r", "entityName": "ann", "modelName": "p", "config": "{}"}),
        ("upsertBucket", {"name": "r", "entityName": "ann", "modelName": "p", "host": "h"}),
        ("rewindRun", {"metricName": "_step", "metricValue": 0, **run}),
        ("notifyScriptableRunAlert", {"title": "t", "text": "x", **run}),
        ("createRunFiles", {"files": ["model.onnx"], **run}),
        ("deleteFiles", {"files": [ids["file"]]}),
        ("updateRunState", {"id": ids["run"], "state": "failed"}),
        ("stopRun", {"id": ids["run"]}),
        ("createCustomChart", {"entity": "ann", "name": "c", "displayName": "c", **chart}),
        (
            "createArtifact",
            {"artifactTypeName": "t", "artifactCollectionName": "x", "digest": "d", "runName": "r", **place},
        ),
        ("useArtifact", {**artifact, **run}),
        ("createArtifactFiles", {"artifactFiles": [file]}),
        ("createArtifactManifest", {**begun, "digest": md5_of(b"x"), "type": "FULL"}),
        ("updateArtifactManifest", {"artifactManifestID": ids["manifest"], "digest": ids["md5"]}),
        ("updateArtifact", {**artifact, "description": "x"}),
        ("addAliases", {**artifact, "aliases": [{**alias, "alias": "new"}]}),
        ("deleteAliases", {**artifact, "aliases": [alias]}),
        ("createArtifactCollectionTagAssignments", tags),
        ("deleteArtifactCollectionTagAssignments", tags),
        ("updateArtifactSequence", {"artifactSequenceID": ids["sequence"], "description": "x"}),
        ("updateArtifactPortfolio", {"artifactPortfolioID": ids["portfolio"], "description": "x"}),
        ("moveArtifactSequence", {"artifactSequenceID": ids["sequence"], "destinationArtifactTypeName": "model"}),
        ("unlinkArtifact", {**artifact, "artifactPortfolioID": ids["portfolio"]}),
        ("deleteArtifactPortfolio", {"artifactPortfolioID": ids["portfolio"]}),
        ("deleteRun", {"id": ids["run"], "deleteArtifacts": True}),
        ("commitArtifact", begun),
        ("deleteArtifact", {**begun, "deleteAliases": True}),
        ("deleteArtifactSequence", {"artifactSequenceID": ids["sequence"]}),
        ("upsertSweep", {"id": ids["sweep"], "state": "FINISHED"}),
        ("deleteSweep", {"id": ids["sweep"]}),
    ]
