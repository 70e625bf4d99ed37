"""What is known of releases of the SDK without importing it."""

from __future__ import annotations

import pytest
import wandb

from sweeper.backend import sdk_releases


def test_the_installed_release_is_known_without_an_import():
    """From its metadata."""
    assert sdk_releases.installed() == wandb.__version__


@pytest.mark.parametrize(
    ("version", "release", "reads"),
    [
        ("0.15.12", (0, 15), True),
        ("0.18.7", (0, 18), True),
        ("0.19.0", (0, 19), False),
        ("0.20.1", (0, 20), False),
        ("0.21.0rc1", (0, 21), True),
        ("1.0", (1, 0), True),
        ("", (), True),
    ],
)
def test_some_releases_cannot_be_given_headers(version, release, reads):
    """Their settings want a mapping where the environment holds text."""
    assert sdk_releases.release(version) == release
    assert sdk_releases.reads_headers(version) is reads


@pytest.mark.parametrize(
    ("version", "knows"), [("0.18.7", False), ("0.26.1", False), ("0.27.2", True), ("0.31.0", True)]
)
def test_old_disabled_runs_fail_of_a_default_for_a_parameter_of_the_sweep(version, knows):
    """`wandb.init(config=...)` with another value raises there, which it does nowhere else."""
    assert sdk_releases.disabled_knows_sweeps(version) is knows
