"""What older SDKs ask the schema about itself, before they choose what to send."""

from __future__ import annotations

import pytest

from sweeper.server.graphql.introspection import READS

PROBE = "query($name: String!) { __type(name: $name) { kind fields { name } inputFields { name } } }"


def probe(client, name):
    return client.graphql(PROBE, name=name)["__type"]


@pytest.mark.parametrize("name", sorted(READS))
def test_an_input_tells_what_it_reads(client, name):
    """It is a scalar all the same, so that a newer SDK's further fields are passed over."""
    found = probe(client, name)
    assert (found["kind"], found["fields"]) == ("SCALAR", None)
    assert len(found["inputFields"]) == len(READS[name].model_fields)


def test_fields_have_their_names_on_the_wire(client):
    """The SDK looks for these, and leaves out what it does not find: tags, times to live, ids of its own."""
    told = {field["name"] for field in probe(client, "CreateArtifactInput")["inputFields"]}
    assert {"clientID", "historyStep", "tags", "ttlDurationSeconds", "enableDigestDeduplication"} <= told
    assert probe(client, "DeleteFilesInput")["inputFields"] == [{"name": "files"}]


def test_nothing_else_has_fields_of_an_input(client):
    """A scalar that nobody asks about, a type, and what there is not."""
    assert probe(client, "JSON")["inputFields"] is None
    assert probe(client, "Artifact")["inputFields"] is None
    assert probe(client, "LaunchAgent") is None


def test_there_is_a_type_of_settings_with_no_messages(client):
    """Where there is none, SDKs to 0.22 break off: under `wandb agent`, and in `wandb sync` without a word."""
    assert probe(client, "ServerSettings")["fields"] == [{"name": "serverMessages"}]
    query = """mutation { upsertBucket(input: {name: "r"}) { bucket { name } serverSettings {
        serverMessages { utfText plainText htmlText messageType messageLevel } } } }"""
    found = client.graphql(query)["upsertBucket"]
    assert found == {"bucket": {"name": "r"}, "serverSettings": {"serverMessages": []}}
