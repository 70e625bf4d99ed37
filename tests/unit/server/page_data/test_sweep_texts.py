"""A sweep's file, and what other seeds have shown."""

from __future__ import annotations

import yaml


def test_the_file_is_told_as_it_was_given(ask):
    """To be copied, and created again."""
    told = yaml.safe_load(ask("definition")["yaml"])
    assert (told["method"], told["run_cap"]) == ("random", 60)


def test_nobody_has_tried_other_seeds(ask):
    """Which is no fault."""
    assert ask("confirmation") == {"confirmation": None}


def test_a_confirmation_is_told_with_its_words(swept, ask):
    """Each configuration with its interval and verdict, as the command line has them."""
    client, sweep, _ = swept
    other = client.sweep(
        {
            "method": "grid",
            "metric": {"name": "loss", "goal": "minimize"},
            "parameters": {"lr": {"value": 0.5}, "units": {"value": 1}, "seed": {"values": [1, 2]}},
            "description": f"confirms {sweep} with other values of seed",
        }
    )
    told = ask("confirmation")["confirmation"]
    assert (told["sweep"], told["sweeps"], told["seed_parameter"]) == (sweep, [other], "seed")
    assert (told["ended"], told["planned"]) == (0, 2)
    (one,) = told["contenders"]
    assert (one["of_seeds"], one["mean"], one["verdict"]) == ("0 of 2", None, "open")
    assert one["words"]
