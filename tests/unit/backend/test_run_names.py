"""What the runs of a sweep are called."""

from __future__ import annotations

import pytest

from sweeper.backend import run_names, sdk
from sweeper.errors import SweepNotFoundError
from sweeper.ref import SweepRef
from sweeper.settings import Backend


@pytest.mark.usefixtures("environ")
def test_both_ways_tell_the_same(embedded, settings, backend, serving):
    """By one question, and over the SDK where the server does not know it."""
    ref, runs = embedded.sweep(0, None)
    own = run_names.read(ref, settings, backend)
    assert {(one.id, one.name) for one in own} == {(runs[0], "run-1"), (runs[1], "run-2")}
    sdk.connect(backend, settings)
    with serving() as other:  # which answers everything with {"a": 1}: none of ours
        found = run_names.read(ref, settings, Backend(kind="wandb", base_url=other.url, api_key="k" * 40))
    assert sorted(found, key=lambda one: one.id) == sorted(own, key=lambda one: one.id)
    with pytest.raises(SweepNotFoundError):
        run_names.read(SweepRef("local", "p", "nowhere0"), settings, backend)
