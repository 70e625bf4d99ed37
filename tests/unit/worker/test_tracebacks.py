"""What people are shown of an error is their own code."""

from __future__ import annotations

import json

import pytest

from sweeper.worker.tracebacks import last_place, one_line, own_frames, place_of_call, print_own, their_lines
from sweeper.worker.trainer_import import load_trainer


@pytest.fixture
def error(tmp_path, monkeypatch) -> BaseException:
    """What a user's module raised, caught below a function of ours."""
    monkeypatch.syspath_prepend(str(tmp_path))
    code = "try:\n    {}['lr']\nexcept KeyError as error:\n    raise RuntimeError('bad  config\\nhere') from error\n"
    (tmp_path / "toy_raises.py").write_text(code)
    with pytest.raises(Exception, match="cannot import") as caught:
        load_trainer("toy_raises:train")
    cause = caught.value.__cause__
    assert cause is not None
    return cause


def test_a_traceback_has_the_users_frames_alone(error, capfd):
    """Also those of the errors that led to it."""
    print_own(error)
    said = capfd.readouterr().err
    assert said.count("toy_raises.py") == 2
    assert "KeyError: 'lr'" in said
    assert "sweeper" not in said
    assert "importlib" not in said
    assert [frame.lineno for frame in own_frames(error)] == [4]


def test_an_error_is_one_line_with_its_place(error):
    """Where their code was; nothing where no frame is theirs."""
    assert one_line(error) + last_place(error) == "RuntimeError: bad config here (toy_raises.py, line 4)"
    assert one_line(KeyboardInterrupt()) + last_place(KeyboardInterrupt()) == "KeyboardInterrupt"


def test_an_error_that_a_library_raised_names_the_line_that_called_it(error):
    """The end of the log shows the library alone; where their own code raised, the text is enough."""
    assert place_of_call(error) == ""
    with pytest.raises(ValueError, match="Expecting") as caught:
        json.loads("{")
    assert place_of_call(caught.value).startswith(" (test_tracebacks.py, line ")


def test_the_agents_words_are_left_out_of_a_log():
    """What it says before a script starts, and the frames of it and of ours with their code."""
    log = """2026-01-01 10:00:00,000 - wandb.wandb_agent - INFO - Agent starting run with config:
\tx: 1
hello
Traceback (most recent call last):
  File "/env/site-packages/wandb/agents/pyagent.py", line 388, in _run_job
    self._function()
  File "/srv/me/train.py", line 3, in train
    raise ValueError
ValueError
wandb: Synced
"""
    assert their_lines(log) == [
        "hello",
        "Traceback (most recent call last):",
        '  File "/srv/me/train.py", line 3, in train',
        "    raise ValueError",
        "ValueError",
    ]
