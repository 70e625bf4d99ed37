"""JSON in and out: what the SDK sends is read, and what it cannot read is never written."""

from __future__ import annotations

import json
import math

import pytest

from sweeper.server import strict_json
from sweeper.server.errors import RequestError
from sweeper.server.strict_json import JsonAnswer, parse, parse_object, plain, refusal_answer


@pytest.mark.parametrize("bracket", ["[]", "{}"])
def test_nesting_of_json_is_bounded(bracket):
    """A hundred levels are read, one more is refused; many brackets beside each other are no nesting."""
    opened, closed = ("[", "]") if bracket == "[]" else ('{"a":', "}")
    for depth, text in ((100, "0"), (101, "0")):
        whole = opened * depth + text + closed * depth
        if depth == 100:
            assert strict_json.parse(whole, "it")
        else:
            with pytest.raises(RequestError, match="100 deep"):
                strict_json.parse(whole, "it")
    assert len(strict_json.parse(json.dumps([[]] * 5000), "it")) == 5000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[NaN]", [math.nan]),
        (b"[-Infinity]", [-math.inf]),
        (r'"\ud800"', "\ud800"),
        ("[1]".encode("utf-16"), [1]),
        ("1" * 400, int("1" * 400)),
    ],
)
def test_what_python_writes_is_read(text, value):
    """Bare NaN, half a surrogate pair, UTF-16 and long integers come from clients in Python."""
    assert repr(parse(text, "it")) == repr(value)


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[1,]", "1" * 5000, "[" * 100_000])
def test_what_is_no_json_is_the_clients_mistake(text):
    """The refusal names what was to be read."""
    with pytest.raises(RequestError, match="the config") as caught:
        parse(text, "the config")
    assert caught.value.status == 400


def test_an_object_is_asked_for_by_name():
    """A list where an object belongs is refused with the kind that came."""
    assert parse_object('{"a": 1}', "the config") == {"a": 1}
    with pytest.raises(RequestError, match="the config is list"):
        parse_object("[]", "the config")


def test_numbers_that_json_lacks_become_words():
    """W&B writes "NaN", "Infinity" and "-Infinity", however deep they lie."""
    assert plain({"a": [math.nan, (math.inf, -math.inf)], "b": 1.5}) == {
        "a": ["NaN", ["Infinity", "-Infinity"]],
        "b": 1.5,
    }


def test_an_answer_is_strict_and_ascii():
    """A bare NaN is an error of ours before it leaves; half a surrogate pair leaves as it came."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        JsonAnswer({"a": math.nan})
    assert JsonAnswer({"a": "\ud800ü"}).body == b'{"a":"\\ud800\\u00fc"}'


def test_a_refusal_lies_where_the_sdk_looks():
    """The SDK shows `errors[0].message`."""
    answer = refusal_answer("no", 404, {"X": "y"})
    assert (answer.status_code, answer.headers["X"]) == (404, "y")
    assert json.loads(answer.body) == {"errors": [{"message": "no"}]}


@pytest.mark.parametrize("inner", ["[],", '{"a":1},', "[[]],"])
def test_lists_and_objects_without_end_are_not_read(inner):
    """Each of some bytes takes some hundred in memory: they are counted before they are read."""
    text = "[" + inner * strict_json.MAX_CONTAINERS + "0]"
    for sent in (text, text.encode()):
        with pytest.raises(RequestError, match="lists and objects"):
            strict_json.parse(sent, "it")


def test_values_without_end_are_not_read():
    """Numbers are small and many: they have a bound of their own, which a caller may lift."""
    text = "[" + "0," * 100 + "0]"
    assert len(strict_json.parse(text, "it", most=100)) == 101
    for sent in (text, text.encode()):
        with pytest.raises(RequestError, match="99 values"):
            strict_json.parse(sent, "it", most=99)


@pytest.mark.parametrize(
    ("text", "message"),
    [("[1]", "list, expected"), ("{", "not readable"), ('{"a":' * 101 + "0" + "}" * 101, "100 deep")],
)
def test_many_objects_are_read_as_one_by_one(text, message):
    """What a single one is refused for, it is refused for among others; NaN and half a pair are read there, too."""
    good = ['{"a": NaN}', r'{"b": "\ud800"}', '{"c": {"d": []}}'] * 3
    assert [list(found) for found in strict_json.parse_objects(good, "it")] == [["a"], ["b"], ["c"]] * 3
    assert strict_json.parse_objects([], "it") == []
    with pytest.raises(RequestError, match=message):
        strict_json.parse_objects([*good, text], "it")


@pytest.mark.parametrize("value", [math.nan, -math.inf, 10**400, "\ud800", {"\ud800": [1.5e300, "\0é"]}, None])
def test_what_was_read_can_be_kept(value):
    """Written and read again it is the same, also what strict JSON does not hold."""
    assert repr(json.loads(strict_json.text_of({"x": value}))) == repr({"x": value})


def test_just_so_many_levels_are_read_beside_others():
    """Other brackets beside them, so that the levels are counted: a hundred are read, one more is refused."""
    for depth in (strict_json.MAX_DEPTH, strict_json.MAX_DEPTH + 1):
        text = "[" * depth + "]" * (depth - 1) + ",[],[],{}]"
        if depth == strict_json.MAX_DEPTH:
            assert strict_json.parse(text, "it")[1:] == [[], [], {}]
        else:
            with pytest.raises(RequestError, match="deep"):
                strict_json.parse(text, "it")


@pytest.mark.parametrize("other", ["3", "[]", "null", '"{}"'])
def test_every_one_of_many_is_an_object(other):
    """One that is none is found among any number."""
    deep = '{"a":' * (strict_json.MAX_DEPTH + 1) + "0" + "}" * (strict_json.MAX_DEPTH + 1)
    with pytest.raises(RequestError, match="deep"):
        strict_json.parse_objects(["{}", deep], "a line")
    for texts in (["{}", other], [other, "{}"], ['{"a": 1}', other, "{}"]):
        with pytest.raises(RequestError, match="expected a JSON object"):
            strict_json.parse_objects(texts, "a line")
