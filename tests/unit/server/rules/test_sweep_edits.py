"""Another file for a sweep that has started: what it asks for is run exactly once, whatever was run before."""

from __future__ import annotations

import json
import threading
from collections import Counter

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.run import RunState, SweepState
from sweeper.server.errors import RequestError
from sweeper.server.rules import early_termination, run_endings, sweep_edits
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.search_process import Searching
from sweeper.server.rules.suggestions import SearchOrder
from sweeper.server.store import lines, runs, sweeps
from sweeper.server.store.database import MEMORY, Store, open_reader
from tests.unit.server.conftest import Table

METRIC = {"name": "loss", "goal": "minimize"}


def grid(*values, **more):
    return {"method": "grid", "metric": METRIC, "parameters": {"lr": {"values": [*values]}}, **more}


def plan(table, sweep, definition):
    with table.store.read() as db:
        return sweep_edits.plan(db, sweeps.get(db, sweep.id), yaml.safe_dump(definition))


def edit(table, sweep, definition):
    """Do what the mutation does."""
    with table.store.write() as db:
        stored = sweeps.get(db, sweep.id)
        planned = sweep_edits.plan(db, stored, yaml.safe_dump(definition))
        sweep_edits.apply(db, stored, planned, {}, now=table.now)
    table.dispatcher.changed(sweep.id)
    return planned


def done(table, sweep, agent=None):
    """Let an agent take a run and end it; give its parameters, None at the end."""
    command = table.beat(agent or table.agent(sweep))
    if command.run is None:
        return None
    table.start(command.run)
    table.complete(command.run)
    return json.loads(command.run.params)


def drained(table, sweep):
    """What the sweep hands out until it sends its agents home."""
    agent, found = table.agent(sweep), []
    while (params := done(table, sweep, agent)) is not None:
        found.append(params)
    return found


def values(found):
    return [params["lr"] for params in found]


def test_a_grid_hands_out_what_is_new_and_nothing_twice(table):
    """Values added are run, values dropped are not, and what was run stays and is not run again."""
    sweep = table.sweep(grid(1, 2, 3, 4))
    assert values([done(table, sweep), done(table, sweep)]) == [1, 2]
    planned = edit(table, sweep, grid(2, 4, 5, 6))
    assert len(planned.beyond) == 1
    assert values(drained(table, sweep)) == [4, 5, 6]
    assert table.sweep_state(sweep) is SweepState.FINISHED
    assert [json.loads(run.params)["lr"] for run in table.runs(sweep)] == [1, 2, 4, 5, 6]
    with table.store.read() as db:
        assert sweep_edits.expected_runs(db, plan(table, sweep, grid(2, 4, 5, 6))) == 5


def test_a_finished_sweep_with_more_to_give_goes_on(table):
    """Also one that ended at its cap or target; one without more stays ended."""
    sweep = table.sweep(grid(1, 2))
    assert values(drained(table, sweep)) == [1, 2]
    assert table.sweep_state(sweep) is SweepState.FINISHED
    edit(table, sweep, grid(2, 1))
    assert table.sweep_state(sweep) is SweepState.FINISHED
    edit(table, sweep, grid(1, 2, 3))
    assert table.sweep_state(sweep) is SweepState.RUNNING
    assert values(drained(table, sweep)) == [3]
    capped = table.sweep(grid(1, 2, 3, 4, run_cap=2))
    assert len(drained(table, capped)) == 2
    edit(table, capped, grid(1, 2, 3, 4, run_cap=3))
    assert values(drained(table, capped)) == [3]
    edit(table, capped, grid(1, 2, 3, 4))
    assert values(drained(table, capped)) == [4]


def test_what_a_person_stopped_stays_stopped(table):
    """They open it again themselves; a canceled one is not edited at all."""
    sweep = table.sweep(grid(1, 2, 3))
    done(table, sweep)
    table.set_state(sweep, SweepState.FINISHED)
    assert not edit(table, sweep, grid(1, 2, 3, 4)).ran_out
    assert table.sweep_state(sweep) is SweepState.FINISHED
    table.set_state(sweep, SweepState.RUNNING)
    assert values(drained(table, sweep)) == [2, 3, 4]
    table.set_state(sweep, SweepState.CANCELED)
    with pytest.raises(RequestError, match="canceled"):
        edit(table, sweep, grid(1))


def test_a_paused_sweep_stays_paused(table):
    """Until it is resumed, and then it hands out what the new file has."""
    sweep = table.sweep(grid(1, 2))
    done(table, sweep)
    table.set_state(sweep, SweepState.PAUSED)
    edit(table, sweep, grid(3))
    assert table.sweep_state(sweep) is SweepState.PAUSED
    table.set_state(sweep, SweepState.RUNNING)
    assert values(drained(table, sweep)) == [3]


def test_a_sweep_with_nothing_left_ends(table):
    """A cap below what was run, or no value left that was not."""
    for fewer in (grid(1, 2, 3, run_cap=1), grid(1)):
        sweep = table.sweep(grid(1, 2, 3))
        done(table, sweep)
        edit(table, sweep, fewer)
        assert table.sweep_state(sweep) is SweepState.FINISHED
        edit(table, sweep, grid(1, 2, 3))  # it ended by itself, and so it goes on
        assert values(drained(table, sweep)) == [2, 3]


def test_a_run_under_way_keeps_its_place(table):
    """An edit that drops what it has is refused whole, be it at work or on its way to its agent; another is not."""
    sweep = table.sweep(grid(1, 2, 3))
    handed, working = table.given(table.agent(sweep)), table.given(table.agent(sweep))
    table.start(working)
    text = table.dispatcher.store
    assert plan(table, sweep, grid(3, 4)).orphans == {handed.name: {"lr": 1}, working.name: {"lr": 2}}
    with pytest.raises(RequestError, match="under way"):
        edit(table, sweep, grid(1, 3, 4))
    with text.read() as db:
        assert sweeps.get(db, sweep.id).definition_text == sweep.definition_text
    edit(table, sweep, grid(1, 2, 4))
    assert values(drained(table, sweep)) == [4]


def test_a_run_that_waits_is_withdrawn(table):
    """One that nobody has worked on is gone; one that has rows is ended, with the reason."""
    sweep = table.sweep(grid(1, 2, 3, 4))
    agent = table.agent(sweep)
    fresh, begun = table.given(agent), table.given(table.agent(sweep))
    table.start(begun)
    with table.store.write() as db:
        runs.update(db, fresh.id, agent_id=None)
        run_endings.requeue(db, table.read(begun), now=table.now)
    planned = edit(table, sweep, grid(3, 4))
    assert {run.name for run in planned.withdrawn} == {fresh.name, begun.name}
    assert [(run.name, run.state) for run in table.runs(sweep)] == [(begun.name, RunState.KILLED)]
    assert table.read(begun).reason == sweep_edits.DROPPED
    assert values(drained(table, sweep)) == [3, 4]


def test_a_run_with_a_dropped_value_is_not_handed_out_again(table):
    """A retry is refused; until its value is back."""
    sweep = table.sweep(grid(1, 2))
    run = table.given(table.agent(sweep))
    table.start(run)
    table.complete(run, 1)
    edit(table, sweep, grid(2, 3))
    with table.store.write() as db, pytest.raises(RequestError, match="does not ask for any more"):
        run_endings.requeue(db, table.read(run), now=table.now)
    edit(table, sweep, grid(1, 2, 3))
    with table.store.write() as db:
        run_endings.requeue(db, table.read(run), now=table.now)
    assert values(drained(table, sweep)) == [1, 2, 3]


def test_repeats_may_become_more_or_fewer(table):
    """Each configuration of the file gets as many as it lacks, and those that had more keep them."""
    sweep = table.sweep(grid(1, 2, sweeper={"repeats": 3}))
    assert values(done(table, sweep) for _ in range(3)) == [1, 1, 1]
    edit(table, sweep, grid(1, 2, 3, sweeper={"repeats": 2}))
    assert values(drained(table, sweep)) == [2, 2, 3, 3]
    edit(table, sweep, grid(2, 3, 4, sweeper={"repeats": 3}))
    assert Counter(values(drained(table, sweep))) == {2: 1, 3: 1, 4: 3}


def test_early_termination_judges_by_the_new_file(table):
    """A rule that comes later finds the values that were logged before."""
    rule = {"type": "hyperband", "min_iter": 2, "eta": 3}
    sweep = table.sweep(grid(1, 2, 3, 4))
    *good, bad = (table.given(table.agent(sweep)) for _ in range(4))
    for run, loss in (*((run, 0.1) for run in good), (bad, 0.9)):
        table.start(run)
        table.log(run, loss, loss)
    early_termination.judge(table.store, bad.id, now=table.now, since_line=0)
    assert not table.read(bad).stop_requested
    edit(table, sweep, grid(1, 2, 3, 4, early_terminate=rule))
    early_termination.judge(table.store, bad.id, now=table.now, since_line=0)
    assert table.read(bad).stop_requested
    with table.store.read() as db:
        assert len(lines.metric_at(db, sweep.id, 2)) == 4


def test_a_target_that_comes_later_counts_what_was_logged(table):
    """A run that had reached it ends the sweep, and one that is out of reach opens it."""
    sweep = table.sweep(grid(1, 2, 3))
    run = table.given(table.agent(sweep))
    table.start(run)
    table.log(run, 0.5)
    table.complete(run)
    edit(table, sweep, grid(1, 2, 3, metric={**METRIC, "target": 0.6}))
    assert table.sweep_state(sweep) is SweepState.FINISHED
    edit(table, sweep, grid(1, 2, 3, metric={**METRIC, "target": 0.4}))
    assert values(drained(table, sweep)) == [2, 3]


@pytest.mark.parametrize("more", [{"metric": {**METRIC, "name": "acc"}}, {"program": "other.py"}])
def test_what_would_make_past_runs_wrong_is_refused_until_the_first_agent_came(table, more):
    """A sweep that nobody has asked for a run takes any file."""
    sweep = table.sweep(grid(1, 2))
    edit(table, sweep, grid(1, 2, **more))
    assert values([done(table, sweep)]) == [1]
    with pytest.raises(RequestError, match="the runs so far"):
        edit(table, sweep, grid(1, 2))


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_a_search_goes_by_the_new_ranges_and_has_what_it_knew(ahead, method):
    """No run after the edit lies outside of them, whatever was ready; those before it stay."""
    wide = {"method": method, "metric": METRIC, "run_cap": 8, "parameters": {"lr": {"min": 0.0, "max": 1.0}}}
    sweep = ahead.sweep(wide)
    agent = ahead.agent(sweep)
    for _ in range(4):
        run = ahead.given(agent)
        ahead.start(run)
        ahead.log(run, json.loads(run.params)["lr"])
        ahead.complete(run)
    ahead.ready(sweep)
    planned = edit(ahead, sweep, {**wide, "run_cap": 12, "parameters": {"lr": {"min": 2.0, "max": 3.0}}})
    assert len(planned.beyond) == 4
    after = values(drained(ahead, sweep))
    assert len(after) == 8
    assert all(2 <= value <= 3 for value in after)


def test_what_attached_runs_have_tried_is_spared_under_a_new_file_too(client):
    """Warm start: their configurations are run under no file, the others once."""
    client.init("earlier", config='{"lr": {"value": 3}}')
    client.log("earlier", {"_step": 0, "loss": 1.0})
    client.stream("earlier", complete=True, exitcode=0)
    query = """mutation($c: String, $f: JSONString) { upsertSweep(input: {config: $c, projectName: "p",
        priorRunsFilters: $f}) { sweep { name id } } }"""
    wanted = json.dumps({"$or": [{"name": "earlier"}]})
    made = client.graphql(query, c=yaml.safe_dump(grid(1, 2)), f=wanted)["upsertSweep"]["sweep"]
    agent, found = client.agent(made["name"]), []

    def take(number):
        for _ in range(number):
            (command,) = client.beat(agent)
            if command["type"] == "exit":
                return
            found.append(command["args"]["lr"]["value"])
            client.init(command["run_id"])
            client.stream(command["run_id"], complete=True, exitcode=0)

    take(1)
    given = {"id": made["id"], "config": yaml.safe_dump(grid(2, 3, 4))}
    effects = client.graphql("mutation($i: JSON!) { editSweep(input: $i) { effects } }", i=given)["editSweep"][
        "effects"
    ]
    assert json.loads(effects)["expected_runs"] == 3
    take(9)
    assert found == [1, 2, 4]


def test_suggestions_computed_ahead_are_void(ahead):
    """What the search process has ready, or is about to answer, was computed for the other file."""
    sweep = ahead.sweep(grid(*range(10)))
    agent = ahead.agent(sweep)
    ahead.settled(sweep)
    assert ahead.given(agent) is not None
    ahead.process.gate.clear()
    edit(ahead, sweep, grid(0, 20, 21, 22))
    ahead.process.gate.set()
    assert values(drained(ahead, sweep)) == [20, 21, 22]


def test_an_answer_for_a_file_that_came_and_went_is_none(tmp_path):
    """Edited back and forth while the process searched: it computes for the text it was ordered for, or nothing."""
    store = Store(tmp_path / "db")
    table = Table(Dispatcher(store))
    sweep = table.sweep(grid(1, 2))
    order = SearchOrder(sweep.id, sweep.definition_text, 0, ())
    edit(table, sweep, grid(3, 4))
    reader = open_reader(tmp_path / "db")
    assert Searching(reader).answer(order).found is None
    edit(table, sweep, grid(1, 2))
    with store.read() as db:
        now = SearchOrder(sweep.id, sweeps.get(db, sweep.id).definition_text, 0, ())
    assert json.loads(Searching(reader).answer(now).found.params) == {"lr": 1}
    reader.close()
    store.close()


def test_agents_at_work_while_the_file_changes_and_changes_back(table):
    """Eight agents and a person with two files: in the end each configuration was run once, by whomever."""
    first, second = grid(*range(20)), grid(*range(10, 40))
    sweep = table.sweep(first)
    lock, stop = threading.Lock(), threading.Event()
    found: list[int] = []

    def work():
        agent = table.dispatcher.register(sweep, "host", now=table.now).name
        while True:
            command = table.dispatcher.heartbeat(agent, set(), now=table.now)
            if command.run is None:
                if stop.is_set():
                    return
                continue
            with lock:
                found.append(json.loads(command.run.params)["lr"])
            table.start(command.run)
            table.complete(command.run)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for definition in [second, first] * 5 + [second]:
        while True:
            try:
                edit(table, sweep, definition)
            except RequestError:  # somebody has what it drops
                continue
            break
    stop.set()
    for thread in threads:
        thread.join()
    found += values(drained(table, sweep))
    assert max(Counter(found).values()) == 1
    assert set(range(10, 40)) <= set(found)
    assert table.sweep_state(sweep) is SweepState.FINISHED


FILES = st.builds(
    lambda method, a, b, repeats, counted, conditional: {
        "method": method,
        "metric": METRIC,
        "parameters": {
            "a": {"values": sorted(a)},
            "b": {"values": sorted(b)},
            "c": {"values": [0.1, 0.2]},
        },
        "sweeper": {
            **({"repeats": repeats} if repeats > 1 else {}),
            **({"conditions": {"c": {"a": max(a)}}} if conditional else {}),
            **({"order": "random"} if counted and method == "grid" else {}),
        },
    },
    st.sampled_from(["grid", "random"]),
    st.sets(st.integers(1, 4), min_size=1),
    st.sets(st.sampled_from("xyz"), min_size=1),
    st.integers(1, 2),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(
    first=FILES,
    actions=st.lists(st.one_of(st.sampled_from(["run", "run", "take", "end", "fail"]), FILES), max_size=25),
)
def test_after_any_edits_each_configuration_of_the_last_file_is_run_exactly_as_often_as_it_asks(first, actions):
    """Whatever is at work meanwhile; nothing is run more often than the file asked at that time."""
    table = Table(Dispatcher(Store(MEMORY)))
    sweep, file, held = table.sweep(first), first, []
    spaces = sweeps.parse_definition
    for action in actions:
        definition = spaces(yaml.safe_dump(file))
        if isinstance(action, dict):
            taken = [json.loads(run.params) for run in held]
            fits = all(spaces(yaml.safe_dump(action)).space.contains(params) for params in taken)
            try:
                edit(table, sweep, action)
            except RequestError:
                assert not fits
            else:
                assert fits
                file = action
        elif action in {"run", "take", "fail"}:
            command = table.beat(table.agent(sweep))
            if command.run is None:
                continue
            params = json.loads(command.run.params)
            assert definition.space.contains(params)
            same = [run for run in table.runs(sweep) if json.loads(run.params) == params]
            assert len(same) <= definition.sweeper.repeats
            table.start(command.run)
            held.append(command.run)
            if action != "take":
                table.complete(held.pop(), int(action == "fail"))
        elif held:
            table.complete(held.pop(0))
    for run in held:
        table.complete(run)
    drained(table, sweep)
    assert table.sweep_state(sweep) is SweepState.FINISHED
    definition = spaces(yaml.safe_dump(file))
    made = Counter(runs.key_of(json.loads(run.params)) for run in table.runs(sweep))
    wanted = [runs.key_of(params) for params in definition.space.grid()]
    assert all(made[key] >= definition.sweeper.repeats for key in wanted)
    with table.store.read() as db:
        whole = sum(1 for run in runs.of_sweep(db, sweep.id) if not run.beyond)
    assert whole == len(wanted) * definition.sweeper.repeats
    table.store.close()
