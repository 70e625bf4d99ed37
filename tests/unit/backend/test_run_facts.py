"""All that a server knows of one run, by one question and over the SDK."""

from __future__ import annotations

import json
import math

import pytest

from sweeper.backend import sdk
from sweeper.backend.run_facts import FactReader
from sweeper.errors import BackendError

SAY = """mutation($n: String, $c: JSONString, $s: JSONString) {
    upsertBucket(input: {name: $n, modelName: "p", config: $c, summaryMetrics: $s, host: "box"}) { inserted } }"""


@pytest.mark.usefixtures("environ")
def test_both_ways_tell_the_same(embedded, settings, backend):
    """Config, summary, files with their sizes, keys and curves; the host the SDK reads from a file that runs write."""
    ref, (id_,) = embedded.sweep(None)
    embedded.wire.graphql(SAY, n=id_, c='{"lr": {"value": 0.1}, "x": {"value": {"y": 2}}}', s='{"acc": 0.9}')
    embedded.wire.log(id_, 1, {"_step": 1, "loss": math.nan, "acc": 1}, {"_step": 5, "loss": 0.5, "acc": 2, "t": "x"})
    embedded.wire.upload(id_, "model.onnx", b"x" * 123)
    embedded.wire.stream(id_, complete=True, exitcode=0)
    sdk.connect(backend, settings)
    run = ref.run(id_)
    own, other = FactReader(backend, settings), FactReader(backend, settings)
    other._server = None
    told = [(reader, reader.facts(run)) for reader in (own, other)]
    for reader, facts in told:
        assert facts.config == {"lr": 0.1, "x": {"y": 2}}
        assert facts.summary["acc"] == 0.9
        assert facts.files == (("model.onnx", 123),)
        assert facts.logged == {"loss": "number", "acc": "number", "t": "text"}
        assert (facts.sweep, facts.created_at, facts.heard_at) == (
            ref.sweep_id,
            told[0][1].created_at,
            told[0][1].heard_at,
        )
        curves = reader.curves(run, ["loss", "acc", "t", "nothing"], 10, facts)
        assert curves == {"loss": ((0, 0.1), (5, 0.5)), "acc": ((1, 1.0), (5, 2.0))}
        assert reader.sweep_of(run) == ref.sweep_id
    assert told[0][1].host == "box"


@pytest.mark.usefixtures("environ")
def test_a_run_that_is_not_there(embedded, settings, backend):
    """Both ways say so; whose sweep it is, nobody can say."""
    ref, _ = embedded.sweep()
    embedded.wire.init("alone")
    sdk.connect(backend, settings)
    own, other = FactReader(backend, settings), FactReader(backend, settings)
    other._server = None
    for reader in (own, other):
        with pytest.raises(BackendError, match="local/p has no run nobody"):
            reader.facts(ref.run("nobody"))
        assert reader.sweep_of(ref.run("nobody")) is None
        assert reader.sweep_of(ref.run("alone")) == ""


def test_a_summary_of_ours_tells_what_suggested_the_run(embedded, settings, backend):
    """Under the key that is not the trainer's."""
    ref, (id_,) = embedded.sweep(0)
    told = FactReader(backend, settings).facts(ref.run(id_)).summary["_sweeper"]["suggestion"]
    assert json.dumps(told)
    assert told["engine"].startswith("grid")
