"""A run that ends well and whose history has a gap says so; who goes on or begins anew as it should does not."""

from __future__ import annotations

import json

import pytest

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2]}}}


class Attempts:
    """One run of a sweep, attempt after attempt: each is handed out again by its worker."""

    def __init__(self, client) -> None:
        self.client, self.number = client, 0
        self.sweep = client.sweep(GRID)
        self.run = ""

    def begin(self, *, resume: bool) -> None:
        """Have the next agent take the run, and go on with it or begin anew."""
        client = self.client
        client.http.headers["X-Sweeper-Holder"] = ""
        if self.run:
            assert client.set_run_state(self.run, "pending")
        agent = client.agent(self.sweep)
        self.run = next(command for _ in range(3) for command in client.beat(agent))["run_id"]
        self.number += 1
        client.http.headers["X-Sweeper-Holder"] = f"process{self.number}"
        if not resume:
            client.begin(self.run, sweep=self.sweep)
            return
        query = 'query($r: String!) { model(name: "p") { bucket(name: $r, missingOk: true) { id } } }'
        client.begin(self.run, id=client.graphql(query, r=self.run)["model"]["bucket"]["id"])

    def log(self, *steps: int) -> None:
        """Log a row at each step, behind what is there."""
        offset = self.client.run(self.run, "historyLineCount")["historyLineCount"]
        content = [json.dumps({"_step": step, "loss": 1.0}) for step in steps]
        self.client.stream(self.run, files={"wandb-history.jsonl": {"offset": offset, "content": content}})

    def end(self, exitcode: int = 0) -> str:
        """End the attempt; what the server says is missing."""
        self.client.stream(self.run, complete=True, exitcode=exitcode)
        return self.told().get("gap", "")

    def told(self) -> dict:
        """Read what the server adds to the summary."""
        return json.loads(self.client.run(self.run, "summaryMetrics")["summaryMetrics"]).get("_sweeper", {})


@pytest.fixture
def attempts(client):
    """A sweep without a run."""
    return Attempts(client)


def test_rows_that_an_attempt_took_along_are_a_gap(attempts):
    """The first logged up to step 5 and was heard up to 3; the second goes on from its checkpoint at 5."""
    attempts.begin(resume=False)
    attempts.log(1, 2, 3)
    attempts.begin(resume=True)
    attempts.log(6, 7)
    assert attempts.end() == "no rows between step 3 and 6"
    assert attempts.told()["interrupted"] is True


def test_a_run_that_goes_on_where_its_history_ends_has_no_gap(attempts):
    """However often, and whichever attempts logged nothing; it is known to have been interrupted."""
    attempts.begin(resume=False)
    attempts.log(1, 2, 3)
    attempts.begin(resume=True)
    attempts.begin(resume=True)
    attempts.log(4, 5)
    attempts.begin(resume=True)
    attempts.log(6)
    assert attempts.end() == ""
    assert attempts.told() == {**attempts.told(), "interrupted": True}


def test_the_first_of_several_gaps_is_told(attempts):
    """Each place where an attempt went on is looked at."""
    attempts.begin(resume=False)
    attempts.log(1, 2)
    attempts.begin(resume=True)
    attempts.log(3, 4)
    attempts.begin(resume=True)
    attempts.log(7, 8)
    assert attempts.end() == "no rows between step 4 and 7"


def test_of_a_long_attempt_the_ends_are_looked_at(attempts):
    """Fifty rows each; what it leaps over itself in its middle is its own business."""
    attempts.begin(resume=False)
    attempts.log(*range(50), *range(1000, 1060))
    attempts.begin(resume=True)
    attempts.log(1061)
    assert attempts.end() == "no rows between step 1059 and 1061"


@pytest.mark.parametrize("length", [99, 100, 101, 102])
def test_an_attempt_of_any_length_is_read_whole_at_its_ends(attempts, length):
    """Where its first and last rows meet or overlap, and where they do not, none is read twice or left out."""
    attempts.begin(resume=False)
    attempts.log(*range(0, 2 * length, 2))
    attempts.begin(resume=True)
    attempts.log(2 * length)
    attempts.begin(resume=True)
    attempts.log(2 * length + 4)
    assert attempts.end() == f"no rows between step {2 * length} and {2 * length + 4}"


def test_an_uninterrupted_run_may_leap(attempts):
    """Only where an attempt went on does a leap tell of anything."""
    attempts.begin(resume=False)
    attempts.log(1, 2, 10, 11)
    assert attempts.end() == ""
    assert "interrupted" not in attempts.told()


def test_a_run_that_did_not_end_well_is_not_looked_at(attempts):
    """It says already that it is not whole; resumed and ended well, it is looked at."""
    attempts.begin(resume=False)
    attempts.log(1, 2)
    attempts.begin(resume=True)
    attempts.log(6, 7)
    assert attempts.end(exitcode=1) == ""
    attempts.begin(resume=True)
    attempts.log(8)
    assert attempts.end() == "no rows between step 2 and 6"


@pytest.mark.parametrize(("again", "gap"), [(2, "2 rows, where an earlier attempt had logged 3"), (3, ""), (4, "")])
def test_a_run_that_begins_anew_must_come_as_far_as_before(attempts, again, gap):
    """Its history is emptied, and how far it had come is remembered."""
    attempts.begin(resume=False)
    attempts.log(1, 2, 3)
    attempts.begin(resume=False)
    attempts.log(1)
    attempts.begin(resume=False)
    attempts.log(*range(1, again + 1))
    assert attempts.end() == gap
    assert attempts.told()["interrupted"] is True


def test_what_was_cut_off_before_a_new_beginning_is_forgotten(attempts):
    """The lines at which attempts went on are none of the new history."""
    attempts.begin(resume=False)
    attempts.log(1, 2)
    attempts.begin(resume=True)
    attempts.log(6)
    attempts.begin(resume=False)
    attempts.log(1, 2, 10, 11)
    assert attempts.end() == ""


def test_an_id_used_again_is_another_run(client):
    """Fewer rows than the last time are what a person asked for."""
    client.begin("r")
    client.log("r", {"_step": 0}, {"_step": 1})
    client.stream("r", complete=True, exitcode=0)
    client.begin("r")
    client.log("r", {"_step": 0})
    client.stream("r", complete=True, exitcode=0)
    assert "_sweeper" not in client.run("r", "summaryMetrics")["summaryMetrics"]


def test_a_gap_is_seen_by_whoever_reads_the_sweep(attempts, client):
    """A page of digests has it."""
    attempts.begin(resume=False)
    attempts.log(1, 2)
    attempts.begin(resume=True)
    attempts.log(6, 7)
    attempts.end()
    query = 'query($s: String!) { project(name: "p") { sweep(sweepName: $s) { runDigests } } }'
    told = json.loads(client.graphql(query, s=attempts.sweep)["project"]["sweep"]["runDigests"])["runs"][0]
    assert (told["gap"], told["interrupted"]) == ("no rows between step 2 and 6", True)
