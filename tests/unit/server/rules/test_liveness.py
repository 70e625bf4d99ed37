"""For how long silence is borne, wherever it is asked."""

from __future__ import annotations

import pytest

from sweeper.run import RunState
from sweeper.server.rules.liveness import LivenessPolicy
from sweeper.server.rules.reaper import reap

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}


@pytest.mark.parametrize(
    ("agent_s", "silent_s", "state"), [(6, 5, "RUNNING"), (6, 10, "FINISHED"), (600, 100, "RUNNING")]
)
def test_an_agent_reads_as_finished_when_the_server_gives_it_up(serve, tmp_path, agent_s, silent_s, state):
    """GraphQL's Agent.state follows `serve --heartbeat-timeout`."""
    server = serve(tmp_path / "data", policy=LivenessPolicy(agent_s=agent_s))
    client = next(server)
    sweep = client.sweep(GRID)
    agent = client.agent(sweep)
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE agents SET heartbeat_at = heartbeat_at - ?", (silent_s,))
    query = """query($s: String!, $a: String!) {
        project(name: "p") { sweep(sweepName: $s) { agent(agentName: $a) { state } } } }"""
    assert client.graphql(query, s=sweep, a=agent)["project"]["sweep"]["agent"]["state"] == state
    server.close()


@pytest.mark.parametrize(("silent_s", "state"), [(60, RunState.RUNNING), (61, RunState.CRASHED)])
def test_an_agent_counts_as_heard_as_long_as_its_run_is_left_alone(table, silent_s, state):
    """What a page says of an agent and what the reaper does to its run never differ, not even for a moment."""
    policy = LivenessPolicy(lost_retries=0)
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    heard_at, table.now = table.now, table.now + silent_s
    with table.store.write() as db:
        reap(db, policy, now=table.now, hearing_since=0)
    assert table.state(run) is state
    assert policy.hears(heard_at, now=table.now) is (state is RunState.RUNNING)
