"""Buttons: a sweep and a run steered from their pages, by whoever may, with who and why kept."""

from __future__ import annotations

import json

import pytest

GRID = """
name: to be steered
method: grid
project: {project}
metric: {{name: loss}}
parameters: {{lr: {{values: [0.1, 0.2, 0.3]}}}}
"""


@pytest.fixture
def sweep(world):
    """A sweep of a test's own."""
    told = world.user.told("create", world.user.write("steered.yaml", GRID.format(project=world.project)))
    return told["sweep"].rpartition("/")[2]


def begin(world, sweep):
    """Let an agent take a run of it, and the run begin; no process stands behind it."""
    create = """mutation($s: String!, $p: String) {
        createAgent(input: {host: "h", sweep: $s, projectName: $p}) { agent { id } } }"""
    agent = world.graphql(create, s=sweep, p=world.project)["createAgent"]["agent"]["id"]
    beat = 'mutation($id: ID!) { agentHeartbeat(input: {id: $id, metrics: "{}", runState: "{}"}) { commands } }'
    run = json.loads(world.graphql(beat, id=agent)["agentHeartbeat"]["commands"])[0]["run_id"]
    init = "mutation($n: String, $p: String) { upsertBucket(input: {name: $n, modelName: $p}) { inserted } }"
    world.graphql(init, n=run, p=world.project)
    return run


def end(world, run, code):
    """Let a run's process end."""
    path = f"/files/{world.entity}/{world.project}/{run}/file_stream"
    world.send(path, "POST", json.dumps({"complete": True, "exitcode": code}).encode())


def press(tab, name, verb, reason=""):
    """Press a button, give a reason, and press the one that does it; wait until the dialog has gone."""
    tab.page.get_by_role("button", name=name, exact=True).click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("Why").fill(reason)
    dialog.get_by_role("button", name=verb).click()
    tab.until("!document.querySelector('dialog')", "the end of the dialog")


def buttons(tab):
    """What can be pressed."""
    return tab.page.locator(".action-buttons button").all_inner_texts()


def test_a_sweep_is_paused_resumed_stopped_and_canceled(tab, world, sweep):
    """Each button does what its dialog says, and the page says who did it, when and why: as text, whatever it was."""
    tab.goto(world.page("sweeps", sweep))
    tab.until_text("Pause", ".action-buttons")
    assert buttons(tab) == ["Pause", "Stop", "Cancel"]
    press(tab, "Pause", "Pause the sweep", "<img src=x onerror=alert(1)>")
    tab.until_text("paused by local just now: <img src=x onerror=alert(1)>", ".said")
    assert buttons(tab) == ["Resume", "Stop", "Cancel"]
    tab.until_text("paused", "h1")
    press(tab, "Resume", "Resume the sweep")
    press(tab, "Stop", "Stop the sweep", "enough")
    tab.until_text("stopped by local just now: enough", ".said")
    assert buttons(tab) == ["Resume"]
    press(tab, "Resume", "Resume the sweep")
    press(tab, "Cancel", "Cancel the sweep")
    tab.until("document.querySelectorAll('.action-buttons button').length === 0")
    api = f'print(json.dumps(api.sweep("{world.entity}/{world.project}/{sweep}").state))'
    assert world.api(api) == "CANCELED"


def test_a_dialog_that_is_left_does_nothing(tab, world, sweep):
    """By Escape or "Not now"; the focus goes back to the button."""
    tab.goto(world.page("sweeps", sweep))
    tab.until_text("Pause", ".action-buttons")
    for leave in ("Escape", "Not now"):
        tab.page.get_by_role("button", name="Pause", exact=True).focus()
        tab.page.keyboard.press("Enter")
        assert tab.page.evaluate("document.activeElement.id") == "ask-reason"
        if leave == "Escape":
            tab.page.keyboard.press("Escape")
        else:
            tab.page.get_by_role("button", name="Not now").click()
        tab.until("!document.querySelector('dialog')")
        assert tab.page.evaluate("document.activeElement.textContent") == "Pause"
    assert buttons(tab) == ["Pause", "Stop", "Cancel"]


def test_a_run_is_stopped_and_tried_again_from_its_page(tab, world, sweep):
    """Its reason names who and why; the sweep gives it out again."""
    run = begin(world, sweep)
    tab.goto(world.page("runs", run))
    tab.until_text("Stop", ".action-buttons")
    press(tab, "Stop", "Stop the run", "too slow")
    tab.until_text("It is being stopped.", ".action-buttons")
    end(world, run, 255)
    tab.until_text("stopped by local: too slow")
    tab.until_text("Try again", ".action-buttons")
    press(tab, "Try again", "Try it again")
    tab.until_text("tried again by local", ".said")
    assert begin(world, sweep) == run


def test_nothing_is_drawn_anew_under_a_press(tab, world, sweep):
    """Its click would be lost: what was read waits for the release, and no longer than a second for one never told."""
    tab.goto(world.page("runs", begin(world, sweep)))
    order = """async () => {
        const { get } = await import(new URL("../api.js", document.querySelector('script[src*="run/page.js"]').src));
        window.fetch = async () => new Response("{}");
        const told = [];
        const press = (name) => window.dispatchEvent(new PointerEvent(name, { isPrimary: true, button: 0 }));
        for (const isReleased of [true, false]) {
            press("pointerdown");
            const read = get("/x").then(() => told.push("read"));
            await new Promise((resolve) => setTimeout(resolve, 50));
            told.push("pressed");
            if (isReleased) press("pointerup");
            await read;
        }
        return told;
    }"""
    assert tab.page.evaluate(order) == ["pressed", "read", "pressed", "read"]


def test_marked_runs_are_stopped_from_the_table(tab, world, sweep):
    """One mark is enough; what was refused is told, and what was done stays done."""
    runs = [begin(world, sweep), begin(world, sweep)]
    tab.goto(world.page("sweeps", sweep))
    tab.page.locator("#runs").scroll_into_view_if_needed()
    tab.until(f"document.querySelector('#row-{runs[1]}')", "the row")
    for run in runs:
        tab.page.locator(f"#row-{run} .row-mark").click()
    press(tab, "Stop 2", "Stop 2 runs", "wrong data")
    for run in runs:
        end(world, run, 1)
        told = json.loads(world.send(f"/-/data/{world.entity}/{world.project}/runs/{run}/actions"))
        assert [(one["name"], one["reason"]) for one in told["said"]] == [("stop", "wrong data")]
    tab.until_text("stopped by local: wrong data", "#runs")


def test_what_the_server_refuses_is_said_in_the_dialog(tab, world, sweep):
    """Somebody else was quicker: the words lead on, and nothing is lost of what was typed."""
    tab.goto(world.page("sweeps", sweep))
    tab.until_text("Pause", ".action-buttons")
    tab.page.get_by_role("button", name="Pause", exact=True).click()
    world.user.run("cancel", sweep)
    tab.page.get_by_label("Why").fill("a word")
    tab.page.get_by_role("button", name="Pause the sweep").click()
    tab.until_text("it is canceled", "[role=alert].ask-fault")
    assert tab.page.get_by_label("Why").input_value() == "a word"
    # the browser itself writes down that an answer was none
    tab.faults[:] = [fault for fault in tab.faults if "409" not in fault]


def test_another_user_sees_no_button(open_tab, world, sweep):
    """Bob looks at local's sweep and run: all is there but what would change them."""
    run = begin(world, sweep)
    bob = f"bob-{sweep}"  # a world that is kept has one from the last time
    key = world.user.run("server", "add-user", bob).stdout.split()[-1]
    tab = open_tab()
    tab.page.context.clear_cookies()
    tab.goto("/login")
    tab.page.locator("input[name=key]").fill(key)
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url(f"{world.url}/")
    for path in (world.page("sweeps", sweep), world.page("runs", run)):
        tab.goto(path)
        tab.settle()
        assert buttons(tab) == []
    world.user.run("server", "remove-user", bob)
