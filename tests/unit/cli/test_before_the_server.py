"""What a command refuses before any server is asked or started: it costs a second and leaves nothing behind."""

from __future__ import annotations

import pytest

from sweeper.errors import BackendError, DefinitionError, LaunchError, ResultError, SweeperError


@pytest.mark.parametrize(
    ("command", "kind", "says"),
    [
        (["create", "FOLDER/wrong.yaml"], DefinitionError, "wrong.yaml"),
        (["launch", "--timeout", "soon"], LaunchError, "--timeout"),
        (["launch", "--workers", "1", "--gpus", "0"], LaunchError, "exclude"),
        (["retry", "e/p/s", "r1", "--failed"], LaunchError, "exclude each other"),
        (["best", "--download", "FOLDER/wrong.yaml"], SweeperError, "cannot write into"),
        (["export", "--format", "parquet"], ResultError, "terminal"),
        (["export", "--output", "FOLDER/wrong.yaml"], ResultError, "exists"),
        (["export", "--output", "FOLDER/nowhere/runs.csv"], ResultError, "no folder"),
        (["sync"], BackendError, "no W&B server to send to"),
        (["status", "--backend", "wandb"], BackendError, "no W&B credentials"),
        (["logs", "gpu0"], LaunchError, "no run or slot 'gpu0'"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_what_cannot_go_well_is_refused_first(sweeper, tmp_path, command, kind, says):
    """With what is wrong and what to do; no server was started for it."""
    (tmp_path / "wrong.yaml").write_text("method: grit\nparameters: {}\n")
    result = sweeper(*(word.replace("FOLDER", str(tmp_path)) for word in command))
    assert isinstance(result.exception, kind), result.exception
    assert says in result.exception.message
    assert not (tmp_path / "home" / "server").exists()
