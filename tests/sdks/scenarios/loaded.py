"""Runs of a list with all that belongs to them."""


def loaded(runs):
    """All runs of a list, each with its config: 0.25 gives an empty one, at any server, before all of it is loaded."""
    runs = list(runs)
    for run in runs:
        if not run.config and hasattr(run, "load_full_data"):
            run.load_full_data()
    return runs
