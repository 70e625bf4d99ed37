"""What a client may do to one run: stop, delete, rewind, fork, overwrite, share, alert."""

from __future__ import annotations

import json

import pytest

from sweeper.run import RunState
from sweeper.server.rules import deletion, stop_requests

GRID = {
    "method": "grid",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}},
}
SCRIPT = {**GRID, "program": "train.py"}
STOP = "mutation($id: ID!) { stopRun(input: {id: $id}) { success clientMutationId } }"
DELETE = "mutation($id: ID!) { deleteRun(input: {id: $id, deleteArtifacts: true}) { clientMutationId } }"
REWIND = """mutation($run: String!, $step: Float!, $key: String = "_step") {
    rewindRun(input: {runName: $run, projectName: "p", metricName: $key, metricValue: $step}) {
        rewoundRun { name historyLineCount state } } }"""


def started(table, definition):
    """A run of a sweep that its agent has listed and whose process has reported."""
    agent = table.agent(table.sweep(definition))
    run = table.given(agent)
    table.start(run)
    table.beat(agent, run.name)
    return agent, run


def ask_to_stop(table, run):
    with table.store.write() as db:
        stop_requests.ask(db, table.read(run), "stopped by anna", now=table.now)


@pytest.mark.parametrize("program", [{}, {"program": "toy:train"}])
def test_a_function_agent_is_told_at_once(table, program):
    """Without a script the heartbeat is the only way: the next one says stop."""
    agent, run = started(table, {**GRID, **program})
    ask_to_stop(table, run)
    assert table.beat(agent, run.name).kind == "stop"


def test_a_function_agent_is_told_at_once_whatever_the_file_says(table):
    """It gives itself away by asking as soon as it has registered: the script that the file names is not at work."""
    agent = table.agent(table.sweep(SCRIPT))
    run = table.scheduler.heartbeat(agent, set(), now=table.now).run
    table.start(run)
    table.beat(agent, run.name)
    ask_to_stop(table, run)
    assert table.beat(agent, run.name).kind == "stop"


def test_the_agent_of_a_script_is_told_when_the_script_had_its_time(table):
    """A script hears of it first; its agent, which would send a signal, only if the script goes on."""
    agent, run = started(table, SCRIPT)
    ask_to_stop(table, run)
    asked = table.now
    while table.beat(agent, run.name).kind == "wait":
        assert table.now < asked + 60
    assert table.now - asked >= stop_requests.REPORT_S + stop_requests.GRACE_S


def test_a_script_that_has_heard_has_less_time(table):
    """From the answer that told it on, a script has 20 s: the SDK looks every 15 s."""
    agent, run = started(table, SCRIPT)
    ask_to_stop(table, run)
    with table.store.write() as db:
        assert stop_requests.is_news(table.read(run), now=table.now)
        stop_requests.tell(db, table.read(run), now=table.now)
    assert not stop_requests.is_news(table.read(run), now=table.now)
    told = table.now
    while table.beat(agent, run.name).kind == "wait":
        assert table.now < told + 60
    assert stop_requests.GRACE_S <= table.now - told < stop_requests.REPORT_S + stop_requests.GRACE_S


def test_our_own_worker_is_told_at_once(table):
    """A process that a worker watches is stopped by its agent, script or not."""
    agent, run = started(table, SCRIPT)
    with table.store.write() as db:
        db.execute("UPDATE runs SET holder = 'w1'")
    ask_to_stop(table, run)
    assert table.beat(agent, run.name).kind == "stop"


def test_a_stopped_run_that_waits_is_not_handed_out(table):
    """A run that no agent has taken up ends at once; the next agent gets another."""
    sweep = table.sweep(GRID)
    run = table.given(table.agent(sweep))
    ask_to_stop(table, run)
    assert (table.state(run), table.read(run).reason) == (RunState.KILLED, "stopped by anna")
    assert table.given(table.agent(sweep)).name != run.name


def test_a_stop_of_an_ended_run_changes_nothing(table):
    """A finished run stays finished."""
    _, run = started(table, GRID)
    table.complete(run)
    ask_to_stop(table, run)
    assert (table.state(run), table.read(run).reason) == (RunState.FINISHED, "")


def test_a_stop_reaches_the_run_in_the_answer_to_what_it_logs(client):
    """Stopped by its id, a run reads it in file_stream, says so to SDK 0.29, and ends as killed with who did it."""
    id_ = client.init("r", config="{}")["bucket"]["id"]
    assert client.log("r", {"_step": 0, "loss": 1}) == {"exitcode": None, "limits": {}, "stopped": False}
    assert client.graphql(STOP, id=id_)["stopRun"] == {"success": True, "clientMutationId": None}
    assert client.run("r", "stopped shouldStop state") == {"stopped": True, "shouldStop": True, "state": "running"}
    assert client.log("r", {"_step": 1, "loss": 1}, offset=1)["stopped"]
    client.stream("r", complete=True, exitcode=255)
    assert client.run("r", "state summaryMetrics") == {
        "state": "killed",
        "summaryMetrics": json.dumps({"_sweeper": {"reason": "stopped by local"}}),
    }


def test_an_unknown_run_cannot_be_stopped(client):
    """An id of nothing is a 404."""
    client.init("r")
    assert "no run" in client.graphql(STOP, status=404, id="UnVuOnYxOng6cDpsb2NhbA==")
    assert "not the id of a run" in client.graphql(STOP, status=404, id="nonsense")


def test_a_deleted_run_is_gone_and_does_not_come_back(client):
    """Rows, files and the run go; its process is told to stop, and its id is refused to the next."""
    id_ = client.init("r", config="{}")["bucket"]["id"]
    client.log("r", {"_step": 0, "loss": 1})
    client.upload("r", "a.txt", b"a")
    url = client.upload_url("r", "b.txt")
    client.graphql(DELETE, id=id_)
    assert client.run("r", "id") is None
    assert list((client.data_dir / "files").rglob("*.txt")) == []
    assert client.log("r", {"_step": 1, "loss": 1})["stopped"]
    assert client.http.put(url, content=b"b").status_code == 404
    query = 'mutation { upsertBucket(input: {name: "r", modelName: "p"}) { inserted } }'
    assert "new id" in client.graphql(query, status=404)
    assert client.run("r", "id") is None


def test_a_deleted_run_of_a_grid_is_made_again(client):
    """Its configuration is open again, as if it had never been proposed."""
    agent = client.agent(client.sweep(GRID))
    (command,) = client.beat(agent)
    client.graphql(DELETE, id=client.init(command["run_id"])["bucket"]["id"])
    assert client.beat(agent)[0]["args"] == command["args"]


def test_suggestions_ahead_go_on_after_a_deletion(ahead):
    """They are numbered as the sweep's runs: with one run fewer, one is computed that takes its number."""
    sweep = ahead.sweep(GRID)
    run = ahead.given(ahead.agent(sweep))
    assert [found.number for found in ahead.settled(sweep) if found.params] == [2, 3]
    with ahead.store.write() as db:
        deletion.delete_run(db, ahead.read(run), now=ahead.now)
    ahead.scheduler.changed(sweep.id)
    assert [found.number for found in ahead.settled(sweep) if found.params] == [1, 2, 3]


def test_files_are_deleted_by_their_ids(client):
    """A file goes from the list and from the disk; once more changes nothing, and a wrong id is a 404."""
    client.init("r")
    client.upload("r", "dir/a:b.txt", b"a")
    client.upload("r", "keep.txt", b"b")
    id_ = client.run("r", 'files(names: ["dir/a:b.txt"]) { edges { node { id } } }')["files"]["edges"][0]["node"]["id"]
    query = "mutation($files: [ID!]!) { deleteFiles(input: {files: $files, projectId: 1}) { success } }"
    for _ in range(2):
        assert client.graphql(query, files=[id_])["deleteFiles"] == {"success": True}
    left = client.run("r", "fileCount files { edges { node { name } } }")
    assert left == {"fileCount": 1, "files": {"edges": [{"node": {"name": "keep.txt"}}]}}
    assert [path.name for path in (client.data_dir / "files").rglob("*.txt")] == ["keep.txt"]
    client.graphql(query, status=404, files=["nonsense"])


def first_words(client, run, *, status=200, **fields):
    """What a process says first of a run: with its host."""
    query = """mutation($id: String, $name: String, $config: JSONString) { upsertBucket(input: {
        id: $id, name: $name, modelName: "p", config: $config, host: "h"}) {
        inserted bucket { id state historyLineCount } } }"""
    found = client.graphql(query, status=status, name=run, **fields)
    return found if status != 200 else found["upsertBucket"]


def test_an_ended_runs_id_used_again_overwrites_it(client):
    """A new process that does not resume starts at nothing; one that goes on, or says more later, keeps all."""
    first_words(client, "r")
    client.log("r", {"_step": 0, "loss": 1}, {"_step": 1, "loss": 2})
    client.stream("r", complete=True, exitcode=0)
    assert client.init("r")["bucket"]["historyLineCount"] == 2  # late words of the ended process
    id_ = client.run("r", "id")["id"]
    resumed = first_words(client, "r", id=id_)
    assert (resumed["inserted"], resumed["bucket"]["historyLineCount"]) == (False, 2)
    client.stream("r", complete=True, exitcode=0)
    again = first_words(client, "r")
    assert again == {"inserted": True, "bucket": {"id": id_, "state": "running", "historyLineCount": 0}}
    assert client.run("r", "summaryMetrics historyKeys") == {"summaryMetrics": "{}", "historyKeys": None}


def test_a_stopped_run_can_be_resumed(client):
    """The stop was for the process before: the next one runs, and ends as it says."""
    id_ = first_words(client, "r")["bucket"]["id"]
    client.graphql(STOP, id=id_)
    client.stream("r", complete=True, exitcode=1)
    assert client.run("r", "state")["state"] == "killed"
    assert first_words(client, "r", id=id_)["bucket"]["state"] == "running"
    assert not client.stream("r")["stopped"]
    client.stream("r", complete=True, exitcode=0)
    assert client.run("r", "state")["state"] == "finished"


def test_a_run_is_rewound_to_a_step(client):
    """Rows behind the step go, with what they said of keys, summary and the sweep's metric."""
    agent = client.agent(client.sweep(GRID))
    (command,) = client.beat(agent)
    run = command["run_id"]
    client.init(run)
    client.log(run, *({"_step": step, "loss": 10 - step} for step in range(4)))
    client.stream(run, complete=True, exitcode=0)
    rewound = client.graphql(REWIND, run=run, step=1)["rewindRun"]["rewoundRun"]
    assert rewound == {"name": run, "historyLineCount": 2, "state": "running"}
    found = client.run(run, "historyKeys summaryMetrics")
    assert found["historyKeys"]["lastStep"] == 1
    assert json.loads(found["summaryMetrics"])["loss"] == 9
    query = 'query { project(name: "p") { sweeps { edges { node { bestLoss } } } } }'
    assert client.graphql(query)["project"]["sweeps"]["edges"][0]["node"]["bestLoss"] == 9


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"step": 9}, 400, "no step 9"),
        ({"step": 0.5}, 400, "0.5"),
        ({"key": "loss"}, 400, "loss"),
        ({"run": "x"}, 404, "x"),
    ],
)
def test_what_cannot_be_rewound_is_refused(client, wrong, status, said):
    """A step it never came to, half a step, another metric, another run."""
    client.init("r")
    client.log("r", {"_step": 0, "loss": 1})
    assert said in client.graphql(REWIND, status=status, **{"run": "r", "step": 0, **wrong})


def branch(run, step):
    """The config of a process that forks, as wandb-core writes it."""
    return json.dumps({"_wandb": {"value": {"branch_point": {"run_id": run, "step": step}}}})


def test_a_fork_starts_with_its_parents_rows(client):
    """The child has the rows up to the step; the parent keeps its own."""
    client.init("r")
    client.log("r", *({"_step": step, "loss": step} for step in range(4)))
    forked = first_words(client, "f", config=branch("r", 1))
    assert forked["bucket"]["historyLineCount"] == 2
    assert [json.loads(line)["loss"] for line in client.run("f", "history")["history"]] == [0, 1]
    assert client.run("r", "historyLineCount")["historyLineCount"] == 4
    assert "no run 'x'" in first_words(client, "g", status=404, config=branch("x", 1))
    assert first_words(client, "h", config=branch("r", "half"))["inserted"]


def test_processes_of_one_run_do_not_overwrite_each_other(client):
    """In shared mode each counts from 0: rows lie as they came, once, with steps of their own; summaries add up."""
    client.init("r")

    def write(writer, first, *values):
        rows = [json.dumps({"_step": first + i, writer: value}) for i, value in enumerate(values)]
        files = {
            "wandb-history.jsonl": {"offset": first, "content": rows},
            "output.log": {"offset": first, "content": [f"{writer} {value}" for value in values]},
            "wandb-summary.json": {"content": [json.dumps({writer: values[-1]})]},
        }
        answer = client.http.post(
            "/files/local/p/r/file_stream", json={"files": files}, headers={"X-WANDB-ASYNC-CLIENT-ID": writer}
        )
        assert answer.status_code == 200, answer.text

    write("a", 0, 1, 2)
    write("b", 0, 3)
    write("b", 0, 3, 4)  # the answer was lost: sent again, with more
    write("a", 2, 5)
    found = client.run("r", "history summaryMetrics logLines { edges { node { line } } }")
    rows = [json.loads(line) for line in found["history"]]
    assert rows == [
        {"_step": 0, "a": 1},
        {"_step": 1, "a": 2},
        {"_step": 2, "b": 3},
        {"_step": 3, "b": 4},
        {"_step": 4, "a": 5},
    ]
    assert json.loads(found["summaryMetrics"]) == {"a": 5, "b": 4}
    assert [edge["node"]["line"] for edge in found["logLines"]["edges"]] == ["a 1", "a 2", "b 3", "b 4", "a 5"]


def test_processes_of_one_run_keep_each_others_config(client):
    """Each sends what it knows; the last value of a key holds, and both are told apart in the SDK's own section."""

    def config(writer, **values):
        own = {"_wandb": {"value": {"t": {"3": [67]}, "e": {writer: {"host": writer}}}}}
        return json.dumps({**own, **{name: {"value": value} for name, value in values.items()}})

    first_words(client, "r", config=config("a", lr=1, depth=2))
    first_words(client, "r", config=config("b", lr=3))
    found = json.loads(client.run("r", "config")["config"])
    assert (found["lr"], found["depth"]) == ({"value": 3}, {"value": 2})
    assert found["_wandb"]["value"]["e"] == {"a": {"host": "a"}, "b": {"host": "b"}}


def test_a_second_process_neither_clears_nor_reopens_a_run(client):
    """One that says it shares the run leaves its rows, and a late line of it does not set an ended run running."""
    client.init("r")
    client.log("r", {"_step": 0, "loss": 1})
    client.stream("r", complete=True, exitcode=0)
    shared = json.dumps({"_wandb": {"value": {"t": {"3": [14, 67]}}}})
    assert first_words(client, "r", config=shared)["bucket"] == {
        "id": client.run("r", "id")["id"],
        "state": "finished",
        "historyLineCount": 1,
    }
    client.http.post("/files/local/p/r/file_stream", json={}, headers={"X-WANDB-ASYNC-CLIENT-ID": "b"})
    assert client.run("r", "state")["state"] == "finished"
