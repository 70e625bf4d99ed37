"""Why a worker gave up, as its log tells."""

from __future__ import annotations

from sweeper.launch.last_word import last_word


def test_the_last_line_is_the_reason(tmp_path):
    """Empty lines are none; it says where the rest is."""
    log = tmp_path / "cpu0.log"
    log.write_text("first\nthe worker breaks\n\n")
    assert last_word(log) == f"the worker breaks (log: {log})"
    assert last_word(tmp_path / "none.log") == f"it ended without a word (log: {tmp_path / 'none.log'})"


def test_a_file_that_hides_a_module_of_python_is_named(tmp_path, monkeypatch):
    """What breaks in a worker may be due to it; a reason that is no error has another one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "random.py").touch()
    log = tmp_path / "cpu0.log"
    log.write_text("AttributeError: no seed\n")
    assert "random.py in this folder hides a module of Python" in last_word(log)
    log.write_text("cpu0 is taken out of the launch\n")
    assert "a module of Python" not in last_word(log)
