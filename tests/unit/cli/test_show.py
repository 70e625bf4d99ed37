"""`sweeper show` against a real server."""

from __future__ import annotations

from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import SweepDir


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
    assert (told["files"], told["1.5"]) == ("1, 1.5 KB in all", "KB  model.onnx")
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


def test_json_has_all_of_it(told, embedded):
    """Curves as pairs of step and value."""
    ref, (id_,) = embedded.sweep(0)
    embedded.wire.upload(id_, "a.txt", b"abc")
    launch = SweepDir.of(embedded.home, ref).new_launch()
    launch.append(Attempt(run_id=id_, slot="gpu0", log="x.log").ended(AttemptOutcome.FINISHED))
    run = told("show", id_, "--sweep", ref, home=embedded.home)
    assert (run["id"], run["state"], run["sweep"], run["path"]) == (id_, "finished", ref.path, f"local/p/{id_}")
    assert run["curves"] == {"loss": [[0, 0.1]]}
    assert (run["params"], run["config"], run["best"]) == ({"lr": 0.1}, {"lr": 0.1}, 0.1)
    assert run["files"] == [{"name": "a.txt", "size_bytes": 3}]
    assert [one["outcome"] for one in run["attempts"]] == ["finished"]
    assert run["suggestion"]["engine"].startswith("grid")
