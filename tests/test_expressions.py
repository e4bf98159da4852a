"""`{{ JMESPath }}`: compiled once, values with their types, errors that name the place."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW

from ringhook.errors import UnmappedError
from ringhook.reading.expressions import (
    FUNCTION_NAMES,
    compile_expression,
    compile_template,
    parse_duration,
)

PAYLOAD = {
    "id": 7,
    "total": 12.5,
    "paid": True,
    "name": "Zoë",
    "empty": "",
    "none": None,
    "tags": ["a", "b"],
    "customer": {"phone": "+14155550123", "first name": "Zoë"},
    "attributes": [{"name": "consent", "value": "yes"}, {"name": "other", "value": "no"}],
}


def render(text: str, payload: Any = PAYLOAD) -> Any:
    return compile_template(text).render(payload, NOW)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ id }}", 7),
        ("{{id}}", 7),
        ("{{ total }}", 12.5),
        ("{{ paid }}", True),
        ("{{ name }}", "Zoë"),
        ("{{ empty }}", ""),
        ("{{ tags }}", ["a", "b"]),
        ("{{ customer }}", PAYLOAD["customer"]),
        ("{{ none || customer.phone }}", "+14155550123"),
        ('{{ customer."first name" }}', "Zoë"),
        ("{{ attributes[?name=='consent'].value | [0] }}", "yes"),
        ("{{ attributes[?name=='consent'].value | [0] == 'yes' }}", True),
        ("{{ {number: id, deep: {name: name}} }}", {"number": 7, "deep": {"name": "Zoë"}}),
        ("{{ {a:{b:id}}}}", {"a": {"b": 7}}),
        ("{{ '}}' }}", "}}"),
        ("{{ 'it\\'s {{' }}", "it's {{"),
        ('{{ `{"a": "}}"}` }}', {"a": "}}"}),
        ("{{ \"na}}me\" || 'x' }}", "x"),
    ],
)
def test_a_lone_expression_keeps_the_type_of_its_value(text: str, value: Any) -> None:
    found = render(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ("plain", "plain"),
        ("a } b }} c { d", "a } b }} c { d"),
        ("Order {{ id }} of {{ name }}", "Order 7 of Zoë"),
        (" {{ id }}", " 7"),
        ("{{ id }}{{ id }}", "77"),
        ("{{ total }} {{ paid }}", "12.5 true"),
        ("<{{ empty }}>", "<>"),
    ],
)
def test_in_a_text_values_are_written_as_json_writes_them(text: str, value: str) -> None:
    assert render(text) == value


def test_a_text_without_an_expression_is_literal() -> None:
    assert compile_template("plain").is_literal
    assert not compile_template("a {{ b }}").is_literal


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ nobody.phone }}", r"\{\{ nobody.phone \}\} finds nothing in the payload"),
        ("{{ none }}", r"\{\{ none \}\} finds nothing"),
        ("Hello {{ nobody }}", r"\{\{ nobody \}\} finds nothing"),
        ("Tags {{ tags }}", r"\{\{ tags \}\} is a list, which has no place inside a text"),
        ("{{ customer }}!", r"\{\{ customer \}\} is an object"),
        ("{{ lower(id) }}", r"lower\(\) does not take a value of type number"),
        ("{{ length(id) }}", r"length\(\) does not take"),
        ("{{ date_add('soon', '1d') }}", "finds nothing"),
        ("{{ date_add(now(), 'soon') }}", "finds nothing"),
        ("{{ date_add('9999-12-31', '2d') }}", "finds nothing"),
    ],
)
def test_what_is_not_found_or_has_no_place_is_named(text: str, said: str) -> None:
    with pytest.raises(UnmappedError, match=said):
        render(text)


@pytest.mark.parametrize(
    "text", ["{{ lower(secret) }}", "{{ split(secret, ',') }}", "{{ sort(secret) }}"]
)
def test_an_error_does_not_quote_the_payload(text: str) -> None:
    with pytest.raises(UnmappedError) as raised:
        render(text, {"secret": {"phone": "+14155550123", "note": "private"}})
    assert "4155550123" not in str(raised.value)
    assert "private" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ }}", "not a JMESPath expression"),
        ("{{ a. }}", "not a JMESPath expression"),
        ("{{ a b }}", "not a JMESPath expression"),
        ("{{ 'open }}", "'{{' is not closed by '}}'"),
        ("{{ a", "'{{' is not closed by '}}'"),
        ("{{ {a: b }}", "'{{' is not closed by '}}'"),
        ("ok {{ a }} {{ b", "'{{' is not closed by '}}'"),
        ("{{ upcase(name) }}", r"there is no function upcase\(\); there are abs, "),
        ("{{ a || [b, {c: lower(nope(d))}] }}", r"there is no function nope\(\)"),
        ("{{ sort_by(a, &nope(b)) }}", r"there is no function nope\(\)"),
        ("{{ a[?nope(b)] }}", r"there is no function nope\(\)"),
    ],
)
def test_what_can_never_be_evaluated_is_refused_when_it_is_compiled(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        compile_template(text)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("lower('ÄBC')", "äbc"),
        ("upper('äbc')", "ÄBC"),
        ("trim('  a b ')", "a b"),
        ("split('a,b,,c', ',')", ["a", "b", "", "c"]),
        ("split('ab', '')", ["a", "b"]),
        ("replace('a-b-c', '-', '')", "abc"),
        ("replace('abc', '', 'x')", "abc"),
        ("now()", "2026-11-23T12:00:00+00:00"),
        ("date_add('2026-11-23', '1d')", "2026-11-24T00:00:00+00:00"),
        ("date_add('2026-11-23T12:00:00+02:00', '-90s')", "2026-11-23T09:58:30+00:00"),
        ("to_number(split('7 apples', ' ')[0])", 7),
    ],
)
def test_functions_that_webhooks_need(expression: str, value: Any) -> None:
    assert compile_expression(expression)({}, NOW) == value


FORM = {
    "questions": [
        {"id": "a", "title": "Emergency contact's phone"},
        {"id": "b", "title": "Mobile"},
    ],
    "answers": [{"of": "a", "text": "020 7946 0123"}, {"of": "b", "text": "(415) 555-0123"}],
    "rows": [{"of": "z"}],
    "raw": {"q1_name": "Zoë", "q2_phoneNumber": "4155550123"},
    "phones": ["", None, "call me", "415 Park Ave", "+1 415-555-0123", "+442079460123"],
    "vanity": "555-555-SHIP",
    "number": 4155550123,
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("first_phone(phones)", "+1 415-555-0123"),
        ("first_phone(vanity, nothing, phones[4])", "+1 415-555-0123"),
        ("first_phone(number)", 4155550123),
        ("first_phone([[vanity], raw.[q1_name, q2_phoneNumber]])", "4155550123"),
        # Nothing looks like a number: what has a digit is told, so that the reason can be.
        ("first_phone(phones[:3], phones[3])", "415 Park Ave"),
        ("first_phone(nothing, raw, `true`, phones[:3])", None),
        ("items(raw)[?asks_phone([0])][1] | [0]", "4155550123"),
        ("items(nothing)", []),
        ("items(phones)", []),
        (
            "pairs(answers, 'of', questions, 'id')[?asks_phone([1].title)][0].text",
            ["(415) 555-0123"],
        ),
        ("pairs(rows, 'of', questions, 'id')", [[{"of": "z"}, None]]),
        ("pairs(nothing, 'of', nothing, 'id')", []),
        ("asks_phone(nothing)", False),
        ("asks_another(nothing)", False),
        ("questions[?!asks_another(title)].title", ["Mobile"]),
    ],
)
def test_a_phone_is_found_among_places_questions_and_names(expression: str, value: Any) -> None:
    assert compile_expression(expression)(FORM, NOW) == value


@pytest.mark.parametrize(
    "misuse", ["first_phone(", "pairs(answers, '[', questions, 'id')", "pairs(raw, 'a', raw, 'b')"]
)
def test_a_misuse_of_them_is_told_as_any_other(misuse: str) -> None:
    with pytest.raises((UnmappedError, ValueError)):
        compile_expression(misuse)(FORM, NOW)


def test_the_list_of_functions_is_short() -> None:
    added = {"date_add", "lower", "now", "replace", "split", "trim", "upper"}
    added |= {"asks_another", "asks_phone", "first_phone", "items", "pairs"}
    assert added <= FUNCTION_NAMES
    assert len(FUNCTION_NAMES - added) == 26  # JMESPath's own


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        (" 6h ", timedelta(hours=6)),
        ("30d", timedelta(days=30)),
        ("0s", timedelta()),
        ("", None),
        ("10", None),
        ("m", None),
        ("-1h", None),
        ("1.5h", None),
        ("1w", None),
        ("1h30m", None),
        ("٣h", None),
        ("9999999s", None),
    ],
)
def test_durations(text: str, span: timedelta | None) -> None:
    assert parse_duration(text) == span


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(), part, max_size=4),
    max_leaves=12,
)
EXPRESSIONS = [
    "a.b[0].c",
    "a || b",
    "length(a)",
    "lower(a)",
    "split(a, ',')[0]",
    "replace(a, b, c)",
    "date_add(a, b)",
    "date_add(a, '1d')",
    "sort_by(a, &b)",
    "a[?b > `1`] | [0]",
    "max_by(a, &b).c",
    "join(',', a)",
    "to_number(a)",
    "merge(a, b)",
    "a[::2]",
    "sum(a)",
    "map(&b, a)",
    "{x: a, y: keys(b)}",
]


def test_a_function_given_nothing_where_it_needs_a_value_is_unmapped() -> None:
    with pytest.raises(UnmappedError, match=r"merge\(a, b\).*cannot be evaluated"):
        render("{{ merge(a, b) }}", {"a": {}})


@given(payload=st.dictionaries(st.sampled_from(["a", "b", "c"]), json_values) | json_values)
@pytest.mark.parametrize("text", EXPRESSIONS)
@pytest.mark.parametrize("around", ["{}", "<{}>"], ids=["alone", "in a text"])
def test_no_payload_breaks_a_template(text: str, around: str, payload: Any) -> None:
    with contextlib.suppress(UnmappedError):
        render(around.format("{{ " + text + " }}"), payload)


@given(st.text(max_size=40))
def test_no_text_breaks_the_compiler(text: str) -> None:
    for written in (text, "{{" + text + "}}", "{{" + text):
        with contextlib.suppress(ValueError):
            compile_template(written)


def test_a_literal_is_not_evaluated() -> None:
    assert json.dumps(render("$(rm -rf) %s {0} \\{{ id }}")) == json.dumps("$(rm -rf) %s {0} \\7")
