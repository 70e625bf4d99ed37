"""What runs are called by."""

from __future__ import annotations

from sweeper.results.labels import brief, label, varying


def test_runs_are_called_by_what_differs():
    """A parameter that only some of them have differs, too; one that all have alike does not."""
    runs = [{"lr": 0.1, "epochs": 5, "net.depth": 2}, {"lr": 0.2, "epochs": 5}]
    assert varying(runs) == ("lr", "net.depth")
    assert [label(run, varying(runs)) for run in runs] == ["lr=0.1 depth=2", "lr=0.2"]


def test_what_is_equal_and_of_another_type_differs():
    """YAML's `1`, `1.0` and `true` are three values of a file."""
    assert varying([{"x": 1}, {"x": True}]) == ("x",)


def test_one_run_or_equal_ones_are_called_by_all():
    """A name is needed all the same."""
    assert varying([{"lr": 0.1, "epochs": 5}]) == ("lr", "epochs")
    assert varying([{"lr": 0.1}, {"lr": 0.1}]) == ("lr",)
    assert varying([]) == ()


def test_a_name_of_several_words_is_shortened_to_its_initials():
    """As people do; not where two would be the same, or where a parameter is called so."""
    names = ("opt.learning_rate", "dropout", "batch_size", "beam_size", "weight_decay", "wd", "__odd__")
    told = {"opt.learning_rate": "lr", "weight_decay": "weight_decay", "batch_size": "batch_size"}
    assert {name: brief(names)[name] for name in told} == told
    assert brief(names)["dropout"] == "dropout"
    assert brief(names)["__odd__"] == "__odd__"
