"""The lists of mutants, and what runs them."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.mutants.mutant import ROOT, Mutant, mutants
from tests.mutants.run import chosen, judge_all, report

MUTANTS = mutants()
MODULE = "def lower(a, b):\n    return a if a < b else b\n"
TEST = "from sweeper.least import lower\n\n\ndef test_lower():\n    assert lower(1, 2) == 1\n"


def test_every_mutant_still_applies():
    """Whoever changes a line that a list names changes the list: `make mutants` would stop there."""
    texts = {mutant.file: (ROOT / mutant.file).read_text(encoding="utf-8") for mutant in MUTANTS}
    wrong = []
    for mutant in MUTANTS:
        try:
            mutant.applied(texts[mutant.file])
        except ValueError as error:
            wrong.append(str(error))
    assert not wrong, "\n".join(wrong)
    assert all(mutant.why for mutant in MUTANTS)
    times = Counter(mutant.name for mutant in MUTANTS)
    assert [name for name, count in times.items() if count > 1] == []


def test_every_mutant_has_tests_that_are_there():
    """A test that was renamed would notice nothing."""
    files = {test.partition("::")[0] for mutant in MUTANTS for test in mutant.noticed_by}
    assert [file for file in sorted(files) if not (ROOT / file).exists()] == []


@pytest.fixture
def project(tmp_path):
    """A project of one module with one test, which looks at half of what the module does."""
    files = {"sweeper/__init__.py": "", "sweeper/least.py": MODULE, "tests/unit/test_least.py": TEST}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def fault(old: str, new: str, **more: object) -> Mutant:
    return Mutant(file="sweeper/least.py", old=old, new=new, why="tried", list="try", **more)


def test_a_fault_is_caught_or_missed(project, capsys):
    """By the tests of the module's name, in a copy: the project itself stays as it is."""
    faults = [fault("a < b", "a > b"), fault("else b", "else a"), fault("a < b", "b > a"), fault("a < b", "no")]
    judged = judge_all(faults, source=project)
    assert list(judged.values()) == ["caught", "missed", "missed", "caught"]
    assert (project / "sweeper" / "least.py").read_text() == MODULE
    text, enough = report(judged)
    assert "2 of 4 (50.0%" in text
    assert "missed: sweeper/least.py: else b -> else a\n  tried" in text
    assert not enough
    assert report({faults[0]: "caught"})[1]
    assert not report({})[1]
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_a_fault_that_makes_tests_hang_is_caught(project):
    """And its processes are ended; one whose tests cannot be run is not judged, so a wrong list is no success."""
    from tests.mutants.tree import Tree

    with Tree.copied(project / "copy", project) as tree:
        endless = fault("return a if a < b else b", "while True: pass")
        assert tree.judge(endless, timeout_s=3) == "caught"
        said = tree.judge(fault("a < b", "a > b", tests=("tests/unit/test_no.py",)))
    assert said.startswith("not judged")
    assert not report({endless: "caught", fault("a < b", "a > b"): said})[1]
    assert not (project / "copy").exists()


def test_tests_that_fail_anyway_judge_nothing(project):
    """They would call every mutant caught."""
    (project / "tests" / "unit" / "test_least.py").write_text(TEST.replace("== 1", "== 2"))
    with pytest.raises(ValueError, match="fail without any mutant"):
        judge_all([fault("a < b", "a > b")], source=project)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("no such text", "x", "there 0 times"),
        ("a", "x", "there 3 times"),
        ("a < b", "a <", "no Python"),
        ("a < b", "a < b", "the old one"),
    ],
)
def test_a_mutant_that_does_not_apply_says_why(old, new, said):
    """The list has to follow the code."""
    with pytest.raises(ValueError, match=said):
        fault(old, new).applied(MODULE)


def test_words_choose_lists_and_modules():
    """`python -m tests.mutants.run search/bayes` runs those of one module."""
    some = [fault("a < b", "a > b"), Mutant(file="sweeper/run.py", old="a", new="b", why="", list="other")]
    assert chosen(some, []) == some
    assert chosen(some, ["run.py"]) == some[1:]
    assert chosen(some, ["try"]) == some[:1]
    assert chosen(some, ["tr"]) == []


def test_a_list_with_another_key_is_refused(tmp_path):
    """A misspelled key would be lost in silence."""
    (tmp_path / "x.toml").write_text('[[mutant]]\nfile = "a"\nold = "b"\nnew = "c"\nwhy = "d"\ntest = ["e"]\n')
    with pytest.raises(ValueError, match=r"x\.toml: .*'test'"):
        mutants(tmp_path)
