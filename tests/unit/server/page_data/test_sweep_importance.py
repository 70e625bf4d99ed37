"""What mattered, for any metric and any runs of a sweep."""

from __future__ import annotations

import base64


def test_the_sweeps_own_metric_is_weighed_by_its_goal(ask):
    """With the number of runs, and how far it can be trusted."""
    told = ask("importance")
    assert [row["name"] for row in told["rows"]] == ["lr", "units"]
    assert told["rows"][0]["ped_anova"] > 0.9
    assert (told["n"], told["goal"]) == (27, "minimize")
    assert told["caveat"] == ""
    assert ask("importance")["rows"] == told["rows"]


def test_any_metric_can_be_asked_about(ask):
    """By its last, least or greatest value, and either goal; one that nobody logged has no rows that tell."""
    told = ask("importance", metric="other", which="max", goal="maximize")
    assert (told["n"], told["goal"]) == (27, "maximize")
    assert told["rows"][0]["name"] == "lr"
    assert told["rows"][0]["correlation"] < -0.9
    assert ask("importance", metric="loss", which="last")["n"] == 27
    nobodys = ask("importance", metric="nobodys")
    assert (nobodys["n"], nobodys["caveat"]) == (0, "It takes 10 runs with a value to tell: there are 0.")


def test_the_best_quarter_and_a_selection_leave_out_runs(ask):
    """Few runs are told to be few."""
    assert ask("importance", share="quarter")["n"] == 7
    bits = base64.urlsafe_b64encode(bytes([255, 255, 0, 0])).decode()
    told = ask("importance", runs=bits)
    assert told["n"] == 16
    assert "a hint" in told["caveat"]


def test_what_cannot_be_meant_is_refused(ask):
    """In words."""
    assert "none of best, last, min, max" in str(ask("importance", which="median", status=400))
    assert "base64" in str(ask("importance", runs="ä", status=400))
