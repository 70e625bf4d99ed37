"""YAML with places: what is read, where it stands, and what is refused before anything is built."""

from __future__ import annotations

import tracemalloc

import pytest

from sweeper.definition import yaml_document
from sweeper.definition.yaml_document import Fault, did_you_mean, faulty, read, read_file
from sweeper.errors import DefinitionError


def refused(text: str) -> Fault:
    with pytest.raises(DefinitionError) as caught:
        read(text, "my.yaml")
    [fault] = caught.value.faults
    assert caught.value.message.startswith(f"my.yaml:{fault.line}:{fault.column}: ")
    return fault


TEXT = """\
method: random
parameters:
  lr: &lr {min: 0.1, max: 0.2}
  opt:
    parameters:
      wd: *lr
      mom:
        <<: *lr
        max: 0.9
command: [a, "b", [c]]
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (1, 1)),
        (("method",), (1, 1)),
        (("parameters", "lr", "max"), (3, 22)),
        (("parameters", "opt", "parameters", "wd"), (6, 7)),
        (("parameters", "opt", "parameters", "wd", "min"), (3, 12)),
        (("parameters", "opt", "parameters", "mom", "max"), (9, 9)),
        (("parameters", "opt", "parameters", "mom", "min"), (3, 12)),
        (("command", 1), (10, 14)),
        (("command", 2, 0), (10, 20)),
        (("command", 2, 7), (10, 19)),
        (("nowhere", "at", "all"), (1, 1)),
    ],
)
def test_every_key_has_a_place(path, place):
    """What an alias or a merge brings in stands where it was written; what is missing, where it would belong."""
    assert read(TEXT, "my.yaml").place(path) == place


def test_a_mapping_wins_over_what_it_merges():
    """`<<` fills in, as YAML says, and the first of several wins."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}"
    found = read(text, "my.yaml")
    assert found.data["c"] == {"x": 3, "y": 1, "z": 2}
    assert found.faults == []


def test_a_document_from_python_has_no_place():
    """A dict given from Python has no lines."""
    assert yaml_document.Document({"a": 1}).place(["a"]) == (0, 0)


SYNTAX = {
    "an empty file": ("", 1, 1, "the file is empty", "method: random"),
    "comments alone": ("# nothing\n\n", 1, 1, "the file is empty", "method: random"),
    "null": ("~", 1, 1, "the file is empty", "method: random"),
    "a list": ("- a\n- b", 1, 1, "a list stands", "parameters:"),
    "one value": ("method", 1, 1, "a single value stands", "parameters:"),
    "a tab as indentation": ("a: 1\n\tb: 2", 2, 1, "a tab", "spaces"),
    "a tab before a key": ("a:\n  b: 1\n\tc: 2", 3, 1, "a tab", "spaces"),
    "an open bracket": ("a: 1\nb: [", 2, 4, "not YAML", "brackets|indentation"),
    "an open quote": ("a: 'x\nb: 2", 1, 4, "not YAML", "quotes"),
    "two colons": ("a: b: c", 1, 5, "mapping values are not allowed", "colons"),
    "a macro without quotes": ("a: {b: ${c}}", 1, 9, "not YAML", "quotes"),
    "wrong indentation": ("a:\n  b: 1\n c: 2", 3, 2, "not YAML", "indentation"),
    "an @": ("a: @b", 1, 4, "cannot start any token", "put the text into quotes"),
    "an unknown alias": ("a: *b", 1, 4, "undefined alias 'b'", "&name"),
    "several documents": ("a: 1\n---\nb: 2", 2, 1, "another document", "one sweep"),
    "a control character": ("a: 1\nb: \x07", 2, 4, "special characters", "xNN"),
    "a key that is a list": ("[a]: 1", 1, 1, "a key must be text", ""),
    "a key that is a mapping": ("? {a: 1}\n: 2", 1, 3, "a key must be text", ""),
    "a tag of one's own": ("a: !b c", 1, 4, "tag '!b'", "remove the tag"),
    "a tag that YAML does not have": ("a: !!b c", 1, 4, "tag '!!b'", "remove the tag"),
    "a number that is none": ("a: !!int b", 1, 4, "what its tag !!int says", ""),
    "an empty number": ("a: !!int", 1, 4, "what its tag !!int says", ""),
    "a truth that is none": ("a: !!bool b", 1, 4, "what its tag !!bool says", ""),
    "a mapping that is a list": ("a: !!map [b]", 1, 4, "expected keys", ""),
    "a list that is a mapping": ("a: !!seq {b: 1}", 1, 4, "expected a sequence", ""),
    "a text that is a list": ("a: !!str [b]", 1, 4, "expected a scalar", ""),
    "a float beyond all floats": ("a: 1" + ":59" * 300 + ".5", 1, 4, "!!float", ""),
    "a merge of a number": ("a: {<<: 3}", 1, 9, "for merging", ""),
    "half a character": ('a: 1\nb: "\\ud800"', 2, 4, "half a character", ""),
    "half a character in a key": ('"\\udc00": 1', 1, 1, "half a character", ""),
    "a character beyond all": ('a: 1\nb: "\\U00110000"', 2, 7, "not YAML", ""),
}


@pytest.mark.parametrize(("text", "line", "column", "found", "fix"), SYNTAX.values(), ids=SYNTAX)
def test_what_is_no_sweep_file_at_all_has_one_fault_with_its_place(text, line, column, found, fix):
    """Line and column, what was found, and what to do about it."""
    fault = refused(text)
    assert (fault.line, fault.column) == (line, column)
    assert found in fault.message
    assert any(word in fault.fix for word in fix.split("|"))
    assert fault.fix


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!!python/object/new:os.system"])
def test_a_file_cannot_run_code(tmp_path, tag):
    """Tags that make Python objects are unknown tags like others."""
    trace = tmp_path / "trace"
    assert f"tag '{tag}'" in refused(f"a: {tag} ['touch {trace}']").message
    assert not trace.exists()


def laughs(kind: str) -> str:
    """A few lines that stand for 9^9 values."""
    lines = ["a0: &a0 {x: 1}" if kind == "merge" else "a0: &a0 [x]"]
    for n in range(9):
        many = ", ".join([f"*a{n}"] * 9)
        lines.append(f"a{n + 1}: &a{n + 1} " + (f"{{<<: [{many}]}}" if kind == "merge" else f"[{many}]"))
    return "\n".join(lines)


ENDLESS = {
    "laughing lists": laughs("list"),
    "laughing merges": laughs("merge"),
    "a chain of merges": "m0: &m0 {a: 1}\n" + "".join(f"m{n + 1}: &m{n + 1} {{<<: *m{n}}}\n" for n in range(60)),
    "a list in itself": "a: &a [*a]",
    "a mapping in itself": "a: &a\n  b: *a",
    "a mapping merged into itself": "a: &a {<<: *a}",
    "a mapping merged into itself twice": "a: &a\n  <<: [*a, *a]",
    "too many values": f"a: &a [{'1, ' * 150}]\nb: [{'*a, ' * 150}]",
    "deep brackets": "a: " + "[" * 60 + "]" * 60,
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_what_unfolds_without_end_is_refused_before_it_is_built(text):
    """A few lines can stand for billions of values: the file is refused with the place where it gets too many."""
    tracemalloc.start()
    fault = refused(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "unfolds" in fault.message
    assert fault.line > 0
    assert peak < 100e6


@pytest.mark.parametrize("bracket", ["[", "{", "- ", "? "])
def test_very_deep_nesting_is_refused(bracket):
    """Where Python's own stack ends, there is a fault with a place, and no crash."""
    fault = refused("a:\n  " + bracket * 700)
    assert "nested deeper" in fault.message
    assert fault.line == 2


@pytest.mark.parametrize("text", ["# " + "x" * yaml_document.MAX_CHARACTERS, "a: 1\n" * yaml_document.MAX_CHARACTERS])
def test_a_long_text_is_refused(text):
    """A sweep file is a page."""
    assert "characters" in refused(text).message


def test_a_large_file_is_refused_without_reading_it(tmp_path):
    """Ten megabytes take no more memory than the longest sweep file."""
    file = tmp_path / "big.yaml"
    file.write_bytes(b"a: 1\n" * 2_000_000)
    tracemalloc.start()
    with pytest.raises(DefinitionError, match=r"big\.yaml.*characters"):
        read_file(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4e6


@pytest.mark.parametrize("kind", ["a folder", "missing", "binary", "in UTF-16"])
def test_what_is_no_text_file_is_named(tmp_path, kind):
    """The error names the file and says what to give instead."""
    file = tmp_path / "sweep.yaml"
    if kind == "a folder":
        file.mkdir()
    elif kind != "missing":
        file.write_bytes("a: 1".encode("utf-16") if kind == "in UTF-16" else b"\xff\x00\xfe")
    with pytest.raises(DefinitionError, match=r"sweep\.yaml") as caught:
        read_file(file)
    assert "YAML file" in caught.value.hint


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path):
    """Files from Windows are files like others."""
    file = tmp_path / "sweep.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: [2,\r\n  3]\r\n")
    found = read(read_file(file), "sweep.yaml")
    assert found.data == {"a": 1, "b": [2, 3]}
    assert found.place(["b", 1]) == (3, 3)


BESIDE = {
    "a key twice": ("a: 1\nb: 2\na: 3", 3, "a", "first on line 1"),
    "a key twice below": ("a:\n  b: 1\n  c: 2\n  b: 3", 4, "a.b", "first on line 2"),
    "a number and a text as keys": ('a: {1: 2, "1": 3}', 1, "a.1", "stands twice"),
    "a date": ("a: 2024-01-01", 1, "a", "is a date"),
    "a time": ("a: [2024-01-01 10:00:00]", 1, "a.0", "is a date"),
    "a set": ("a: !!set {b, c}", 1, "a", "is a set"),
    "binary data": ("a: !!binary aGk=", 1, "a", "is binary data"),
    "ordered pairs": ("a: !!omap [b: 1]", 1, "a", "is an ordered map"),
    "infinity": ("a: .inf", 1, "a", "not a finite number"),
    "minus infinity": ("a: {b: -.INF}", 1, "a.b", "not a finite number"),
    "no number": ("a: .NaN", 1, "a", "not a finite number"),
    "a number of pages": ("a: 0x" + "f" * 5000, 1, "a", "digits"),
}


@pytest.mark.parametrize(("text", "line", "key", "found"), BESIDE.values(), ids=BESIDE)
def test_what_no_config_can_hold_is_a_fault_beside_others(text, line, key, found):
    """The rest of the document is read, so its faults come at the same time."""
    [fault] = read(text, "my.yaml").faults
    assert (fault.line, ".".join(map(str, fault.path))) == (line, key)
    assert found in fault.message
    assert fault.fix


def test_three_times_the_same_key_are_two_faults():
    """Each has its own place."""
    assert [fault.line for fault in read("a: 1\na: 2\na: 3", "my.yaml").faults] == [2, 3]


def test_values_are_those_of_json():
    """Keys are text, and what JSON lacks stays text, so that nothing later meets a date or a set."""
    found = read("a: {1: x, null: y, 2024-01-01: z, true: w}\nb: 2024-01-01\nc: =\nd: !!str 3", "my.yaml")
    assert found.data == {
        "a": {"1": "x", "null": "y", "2024-01-01": "z", "true": "w"},
        "b": "2024-01-01",
        "c": "=",
        "d": "3",
    }


@pytest.mark.parametrize(
    "text", ["1e-5", "3e6", "1E+5", "008", "-1e-5", "on", "off", "Yes", "010", "1:30", "1:30.5", "1_000e3"]
)
def test_what_yaml_reads_otherwise_than_it_looks_is_noted(text):
    """YAML 1.1 reads `1e-5` as text and `on` as true; quotes mean what they say."""
    assert read(f"a: [{text}]", "my.yaml").spelled == {("a", 0): text}
    assert read(f"a: ['{text}']", "my.yaml").spelled == {}


@pytest.mark.parametrize("text", ["1.0e-5", "0.1", "12", "true", "False", "null", "adam", "1e5x", "v1.0", "0x1f"])
def test_what_yaml_reads_as_it_looks_is_not_noted(text):
    """No warning without a reason."""
    assert read(f"a: {text}", "my.yaml").spelled == {}


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("vales", ["value", "values"], "did you mean `values`?"),
        ("VALUE", ["min", "value"], "did you mean `value`?"),
        ("apiversion", ["kind", "apiVersion"], "did you mean `apiVersion`?"),
        ("xyz", ["min", "max"], "choose from min, max"),
        (3, ["min", "max"], "choose from min, max"),
        ("x" * 100_000, ["min", "max"], "choose from min, max"),
        ("p", [f"q{n}" for n in range(100)], "q24, ..."),
    ],
)
def test_a_word_is_put_beside_those_that_exist(word, known, said):
    """One that is near, whatever its case; or what there is, if that fits on a few lines."""
    assert said in did_you_mean(word, known)


def test_an_error_lists_its_faults_in_the_order_of_the_file():
    """As compilers do, at most fifty of them, and says how many more there are."""
    faults = [Fault(line, 1, ("a", 0), "found", "fix") for line in range(60, 0, -1)]
    error = faulty("my.yaml", faults)
    lines = error.message.splitlines()
    assert lines[:3] == ["my.yaml:1:1: a.0: found", "    fix", "my.yaml:2:1: a.0: found"]
    assert lines[-1] == "my.yaml: and 10 more faults"
    assert len(error.faults) == 60


def test_a_warning_says_that_it_is_one():
    """Its line begins as an error's does."""
    assert Fault(3, 4, ("a",), "found", "", "warning").render("my.yaml") == "my.yaml:3:4: warning: a: found"


def test_a_page_long_key_does_not_fill_the_screen():
    """Names and problems are cut to what fits on a few lines."""
    text = "a: !" + "t" * 10_000 + " x"
    assert len(refused(text).render("my.yaml")) < 500
    fault = Fault(1, 1, ("k" * 10_000,), "unknown key", "")
    assert len(fault.render("my.yaml")) < 200
