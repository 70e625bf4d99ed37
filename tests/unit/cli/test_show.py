"""`sweeper show` against a real server."""

from __future__ import annotations

import json


def test_everything_about_a_run(here, embedded):
    """Where it belongs, how it went, what was given to it, what it logged: at 80 columns, its curve below."""
    ref, (id_, bad) = embedded.sweep(None, 1)
    embedded.wire.log(id_, 1, *({"_step": at, "loss": 1 / (at + 1), "extra": at} for at in range(1, 50)))
    embedded.wire.upload(id_, "model.onnx", b"x" * 1500)
    embedded.wire.stream(id_, complete=True, exitcode=0)
    lines = here("show", id_, "--sweep", ref).stdout.splitlines()
    facts = [line.split(maxsplit=1) for line in lines[: lines.index("")]]
    told = {fact[0]: fact[1] for fact in facts if len(fact) == 2}
    assert told["run"] == f"{id_}  (run-1)"
    assert told["sweep"] == ref.path
    assert told["page"].endswith(f"/local/p/runs/{id_}")
    assert (told["state"], told["params"]) == ("finished", "lr  0.1")
    assert told["best"] == "loss 0.02  the best of its sweep"
    assert told["by"].startswith("grid")
    assert (told["files"], told["1.5"]) == ("1, 1.5 kB in all", "kB  model.onnx")
    assert max(map(len, lines[lines.index("") :])) <= 80
    assert [line for line in lines if line.startswith(("loss ", "extra "))] != []
    assert here("show", bad, "--sweep", ref).stdout.splitlines()[3].startswith("state    failed: ")


def test_curves_can_be_chosen(here, embedded):
    """One that it never logged names the nearest, and what there is."""
    ref, (id_,) = embedded.sweep(0)
    embedded.wire.log(id_, 1, {"_step": 1, "loss": 0.3, "extra": 5})
    lines = here("show", id_, "--sweep", ref, "--key", "extra").stdout
    assert "\nextra  5\n" in lines
    assert "also logged: loss  (--key NAME, or --all)" in lines
    assert "also logged" not in here("show", id_, "--sweep", ref, "--all").stdout
    done = here("show", id_, "--sweep", ref, "--key", "extr")
    assert done.exit_code == 1
    assert done.exception.hint == "did you mean extra? it logged: loss, extra"


def test_json_has_all_of_it(here, embedded):
    """Curves as pairs of step and value."""
    ref, (id_,) = embedded.sweep(0)
    told = json.loads(here("show", id_, "--sweep", ref, "--json").stdout)
    assert (told["id"], told["state"], told["sweep"], told["path"]) == (id_, "finished", ref.path, f"local/p/{id_}")
    assert told["curves"] == {"loss": [[0, 0.1]]}
    assert (told["params"], told["config"], told["best"], told["files"]) == ({"lr": 0.1}, {"lr": 0.1}, 0.1, [])
    assert told["suggestion"]["engine"].startswith("grid")
