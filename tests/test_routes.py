"""`routes.toml`: what is wrong is told with line, field and cure; what is right has its meaning."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, ROUTES

from ringhook.errors import Problem, RoutesError
from ringhook.reading.expressions import Expression, Template
from ringhook.routing.route_values import Cap
from ringhook.routing.routes import Route
from ringhook.routing.routes_file import load
from ringhook.routing.toml_lines import line_of
from ringhook.senders import providers
from ringhook_ops.tables.schema import json_schema

ROOT = Path(__file__).parent.parent
# Marks the line that a problem must name; without it in a text, no line is named.
HERE = "# <-"
SHOP = 'countries = ["US"]\n[sources.shop]\nprovider = "shopify"\n'
CALL = 'call.agent_id = 1\ncall.phone_number = "{{ phone }}"\n'
KEY = 'policy.key = "{{ id }}"\n'


def route(text: str = "", *, name: str = "first", call: str = CALL) -> str:
    """A route, sound but for this text."""
    return f'\n[[routes]]\nname = "{name}"\nsource = "shop"\n{text}\n{call}'


def source(text: str) -> str:
    """A file, sound but for this source."""
    return f"{SHOP}{text}\n{route()}"


def problems(text: str) -> list[Problem]:
    with pytest.raises(RoutesError) as caught:
        load(text)
    return caught.value.problems


def only_route(text: str) -> Route:
    [found] = load(SHOP + text).routes
    return found


def check(text: str, where: str, said: str) -> None:
    """There is one problem, in the line that is marked, with this field and (part of) a cure."""
    line = next((n for n, one in enumerate(text.split("\n"), 1) if HERE in one), 0)
    [problem] = problems(text)
    assert (problem.line, problem.where) == (line, where)
    assert said in problem.message


# --- a file ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('countries = ["US"\n[sources.shop] # <-\n', "not TOML: Unclosed array"),
        ("countries = US # <-\n", "not TOML: Invalid value"),
        (SHOP + "provider = 'hubspot' # <-\n", "not TOML: Cannot overwrite a value"),
        (SHOP + "[sources.shop] # <-\n", "not TOML: Cannot declare ('sources', 'shop') twice"),
        (SHOP + "[[routes] # <-\n", "not TOML: Expected ']]'"),
        (SHOP + 'x = "# <-', "not TOML: Unterminated string"),
    ],
)
def test_what_is_not_toml_is_told_with_its_line(text: str, said: str) -> None:
    check(text, "", said)


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        (SHOP.replace('countries = ["US"]', ""), "countries", "is missing"),
        (SHOP.replace('"]', '", "us"] # <-'), "countries", "'us' is not a country's code of two"),
        (SHOP.replace('"US"', '"UK"').replace("]", "] # <-", 1), "countries", "'UK' is not"),
        (SHOP.replace('["US"]', "[] # <-"), "countries", "is empty: write one at least"),
        (SHOP.replace('["US"]', '"US" # <-'), "countries", "must be a list, in [ ]"),
        (SHOP.replace('["US"]', "[1] # <-"), "countries[0]", "must be text in quotes"),
        (f"contries = 1 # <-\n{SHOP}", "contries", "there is no such key: remove it, or correct"),
        (f"max_calls_per_day = -1 # <-\n{SHOP}", "max_calls_per_day", "greater than or equal to 0"),
        (f"max_calls_per_day = '9' # <-\n{SHOP}", "max_calls_per_day", "a whole number, without"),
        (f"require_consent = 'yes' # <-\n{SHOP}", "require_consent", "must be true or false"),
        (f"calling_hours = 5 # <-\n{SHOP}", "calling_hours", "must be a table"),
    ],
)
def test_a_wrong_key_of_the_file_is_told(text: str, where: str, said: str) -> None:
    check(f"{text}{route()}", where, said)


def test_a_file_without_sources_or_without_routes_says_so() -> None:
    assert [str(one) for one in problems('countries = ["US"]')] == [
        "sources: is missing",
        "routes: is missing",
    ]
    check('countries = ["US"]\nroutes = []\nsources = {} # <-', "sources", "is empty")
    check(SHOP.replace("[s", "routes = 1 # <-\n[s"), "routes", "must be a list, in [ ]")


def test_a_file_may_have_no_route_yet() -> None:
    assert load(f"routes = []\n{SHOP}").routes == ()


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    text = SHOP + route("colour = 1") + route("policy.after = 9\nwhen = 1", name="Second")
    assert [str(one) for one in problems(text)] == [
        "line 8: routes[0].colour: there is no such key: remove it, or correct its name",
        ("line 13: routes[1].name: String should match pattern '^[a-z0-9][a-z0-9-]{0,62}$'"),
        (
            "line 15: routes[1].policy.after:"
            " write a number with s, m, h or d, like '90s', '10m', '6h' or '3d'"
        ),
        "line 16: routes[1].when: must be text in quotes",
    ]


# --- sources ---------------------------------------------------------------------------------

HMAC = '[sources.other]{}\nprovider = "hmac"\nheader = "x-signature"\n{}'


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ('[sources.other] # <-\ntenant = "x"', "provider", "say which provider it is: activecam"),
        ('[sources.other]\nprovider = "shopfy" # <-', "provider", "; did you mean 'shopify'?"),
        ("[sources.other]\nprovider = 5 # <-", "provider", "there is no provider 5: activecam"),
        ("[sources.other]\nprovider = [] # <-", "provider", "there is no provider []: activecam"),
        ('[sources.other]\nprovider = "_generic" # <-', "provider", "there is no provider '_gen"),
        ('[sources.other]\nprovider = "zapier" # <-', "provider", "served by provider = 'bearer'"),
        ('[sources.other]\nprovider = "shopify"\nsecret = "x" # <-', "secret", "is no such key"),
        ('[sources.other]\nprovider = "shopify"\ntenant = 5 # <-', "tenant", "text in quotes"),
        (
            '[sources.other]\nprovider = "salesforce"\ntenant = "00Dx" # <-',
            "tenant",
            "an organisation's id is 00D… with 15 or 18 characters",
        ),
        ('[sources.other] # <-\nprovider = "hmac"', "header", "is missing"),
        (HMAC.format("", 'topic = "{{ x" # <-'), "topic", "'{{' is not closed by '}}'"),
        (HMAC.format("", 'event_id = "{{ x( }}" # <-'), "event_id", "not a JMESPath expression"),
        (HMAC.format("", 'algorithm = "md5" # <-'), "algorithm", "'sha1', 'sha256', 'sha384' or"),
        (HMAC.format("", "tolerance = 0 # <-"), "tolerance", "greater than 0"),
        (HMAC.format(" # <-", 'signed = "{time}{body}"'), "", "there is no {time}; there are body"),
        (HMAC.format(" # <-", 'signed = "{url}"'), "", "anybody could change the body"),
        (
            HMAC.format(" # <-", 'signed = "{timestamp}.{body}"'),
            "",
            "goes with timestamp_header or",
        ),
        (HMAC.format(" # <-", 'timestamp_prefix = "t="'), "", "both or none"),
        (HMAC.format(" # <-", 'signed = "{id}.{body}"'), "", "{id} goes with id_header"),
    ],
)
def test_a_wrong_source_is_told(text: str, where: str, said: str) -> None:
    check(source(text), f"sources.other{'.' if where else ''}{where}", said)


@pytest.mark.parametrize("name", ["Shop", "my_shop", "-shop", "", "x" * 64])
def test_a_source_has_a_name_that_an_address_can_hold(name: str) -> None:
    text = source(f'[sources."{name}"] {HERE}\nprovider = "shopify"')
    check(text, f"sources.{name}", "String should match pattern")


# --- routes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("colour = 1 # <-", "colour", "there is no such key: remove it, or correct its name"),
        ('when = "{{ paid }}" # <-', "when", "write the bare JMESPath here, without {{ }}"),
        ('when = "paid (" # <-', "when", "not a JMESPath expression: "),
        ('when = "total == 5" # <-', "when", 'invalid token: Parse error at column 9, token "5"'),
        ('when = "tolower(a)" # <-', "when", "there is no function tolower(); there are abs,"),
        ('when = "" # <-', "when", "cannot be empty"),
        ("when = true # <-", "when", "must be text in quotes"),
        ("on = [] # <-", "on", "is empty: write one at least"),
        ('on = "orders/create" # <-', "on", "must be a list, in [ ]"),
        ("on = [1] # <-", "on[0]", "must be text in quotes"),
        (
            'on = ["customers/redact"] # <-',
            "on",
            "never rings anybody (a customer asked to be erased), so this route is never reached",
        ),
        ('action = "text" # <-', "action", "'call', 'suppress' or 'consent'"),
        ("policy = 3 # <-", "policy", "must be a table"),
        ("call.region = 1 # <-", "call.region", "must be text in quotes"),
        ("call.account = 5 # <-", "call.account", "must be text in quotes"),
        ('call.acount = "x" # <-', "call.acount", "there is no such key"),
        ('call.metadata.a = "{{ x" # <-', "call.metadata.a", "'{{' is not closed by '}}'"),
        ("call.metadata.a = [1] # <-", "call.metadata.a", "must be text in quotes"),
        ("call.metadata.a = nan # <-", "call.metadata.a", "must be text in quotes"),
        ("call.metadata = { a = 2026-11-23 } # <-", "call.metadata.a", "must be text in quotes"),
        ('policy.key = "id" # <-', "policy.key", "is the same for every event: write {{ JMESPath"),
        ('policy.key = "" # <-', "policy.key", "is the same for every event"),
        ('policy.key = "{{ id" # <-', "policy.key", "'{{' is not closed by '}}'"),
        ("policy.key = 5 # <-", "policy.key", "must be text in quotes"),
        ('policy.calling_hours = "24/7" # <-', "policy.calling_hours", '"24/7" is no window'),
        ('policy.calling_hours = "office" # <-', "policy.calling_hours", 'write "default", "any"'),
        ("policy.calling_hours = 9 # <-", "policy.calling_hours", "write 'default', 'any', '09:"),
        ('policy.calling_hours.moon = "" # <-', "policy.calling_hours", '"moon" is no day: write'),
        ('policy.max_calls = "3" # <-', "policy.max_calls", "'3' is no cap: write '3/24h', with"),
        ('policy.max_calls = "0/24h" # <-', "policy.max_calls", "'0/24h' is no cap"),
        ('policy.max_calls = "3/0h" # <-', "policy.max_calls", "'3/0h' is no cap"),
        ('policy.max_calls = "3/32d" # <-', "policy.max_calls", "with a time of 31d at most"),
        ('policy.max_calls = "-3/1d" # <-', "policy.max_calls", "'-3/1d' is no cap"),
        ('policy.max_calls = ["3/24h", "x"] # <-', "policy.max_calls", "'x' is no cap"),
        ("policy.max_calls = 3 # <-", "policy.max_calls", "3 is no cap"),
        ("policy.consent = true # <-", "policy.consent", "write '{{ JMESPath }}' that must hold"),
        ('policy.consent = "ok" # <-', "policy.consent", "or 'recorded:PURPOSE'"),
        ('policy.consent = "recorded:" # <-', "policy.consent", "or 'recorded:PURPOSE'"),
        ('policy.consent = "recorded:All calls" # <-', "policy.consent", "or 'recorded:PURPOSE'"),
        ('policy.consent = "{{ a( }}" # <-', "policy.consent", "not a JMESPath expression"),
        ('policy.consent = "{{ a }}{{ b }}" # <-', "policy.consent", "not a JMESPath expression"),
        ("policy.after = 90 # <-", "policy.after", "write a number with s, m, h or d, like '90s'"),
        ('policy.after = "90 s" # <-', "policy.after", "write a number with s, m, h or d"),
        ('policy.expires_after = "0s" # <-', "policy.expires_after", "must be more than nothing"),
        ('policy.on_uncertain = "ring" # <-', "policy.on_uncertain", "'leave' or 'redial'"),
        ("policy.test_events = true # <-", "policy.test_events", "'suppress' or 'ring'"),
        *(
            (
                f'policy.redial = {{ on = ["{on}"], after = ["2h"] }} # <-',
                "policy.redial.on[0]",
                "'b",
            )
            for on in ("rejected", "unknown", "failed", "answered", "invalid_number", "blocked")
        ),
        ('policy.redial = { on = [], after = ["2h"] } # <-', "policy.redial.on", "is empty"),
        ('policy.redial = { on = ["busy"], after = [] } # <-', "policy.redial.after", "is empty"),
        ('policy.redial = { on = ["busy"] } # <-', "policy.redial.after", "is missing"),
        (
            'policy.redial = { on = ["busy"], after = ["0s"] } # <-',
            "policy.redial.after",
            "must be more than nothing",
        ),
        ('policy.outcome_deadline = "30s" # <-', "policy.outcome_deadline", "must be from 1m, so"),
        ('policy.outcome_deadline = "15d" # <-', "policy.outcome_deadline", "to 14d"),
        ("policy.restart = 1 # <-", "policy.restart", "must be true or false"),
        ('policy.cancelled_by = "x" # <-', "policy.cancelled_by", "must be a list, in [ ]"),
    ],
)
def test_a_wrong_key_of_a_route_is_told(text: str, where: str, said: str) -> None:
    check(SHOP + route(text), f"routes[0].{where}", said)


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        (KEY + 'policy.at = "{{ t }}" # <-', "at", "needs policy.before: how long before the app"),
        (KEY + 'policy.before = "1h" # <-', "before", "needs policy.at: the time of the appointm"),
        (
            KEY + 'policy.at = "{{ t }}"\npolicy.before = "1h"\npolicy.after = "1h" # <-',
            "after",
            "waits from the event, policy.at until an appointment: choose one",
        ),
        (KEY + 'policy.at = "start" # <-\npolicy.before = "1h"', "at", "is the same for every ev"),
        (
            'policy.at = "{{ t }}" # <-\npolicy.before = "1h"',
            "at",
            "needs a policy.key: which call",
        ),
        ('policy.restart = true # <-\npolicy.after = "1h"', "restart", "needs a policy.key: which"),
        (KEY + "policy.restart = true # <-", "restart", "needs policy.after: the wait to start an"),
        ('policy.cancelled_by = ["orders/paid"] # <-', "cancelled_by", "needs a policy.key: which"),
        (
            'policy.redial = { on = ["busy"], after = ["1d", "5d"] } # <-',
            "redial",
            "waits longer than policy.expires_after: the last attempt is too late",
        ),
        (
            'policy.retention = "23h" # <-',
            "retention",
            "is shorter than policy.expires_after: keep a call until then",
        ),
        (
            'policy.expires_after = "7d"\npolicy.retention = "6d" # <-',
            "retention",
            "is shorter than policy.expires_after",
        ),
    ],
)
def test_settings_of_a_policy_that_contradict_each_other_are_told(
    text: str, field: str, said: str
) -> None:
    check(SHOP + route(text), f"routes[0].policy.{field}", said)


NAMED = '[[routes]] # <-\nname = "first"\nsource = "shop"\n'
RECORD = 'record.phone_number = "{{ phone }}"\n'


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        (NAMED, "", "a route that rings has [routes.call], and no [routes.record]"),
        (NAMED + CALL + RECORD, "", "a route that rings has [routes.call], and no [routes.record]"),
        (NAMED + 'action = "suppress"\n', "", "action = 'suppress' needs [routes.record], and no"),
        (NAMED + CALL + RECORD + 'action = "consent"', "", "and no [routes.call]"),
        (NAMED + RECORD + 'action = "consent"', "", "needs `granted` in [routes.record]"),
        (NAMED + 'call.phone_number = "{{ p }}"', ".call.agent_id", "is missing"),
        (NAMED + "call.agent_id = 1", ".call.phone_number", "is missing"),
        ('[[routes]] # <-\nname = "first"\n' + CALL, ".source", "is missing"),
        ('[[routes]] # <-\nsource = "shop"\n' + CALL, ".name", "is missing"),
    ],
)
def test_what_a_route_lacks_is_told_where_it_begins(text: str, where: str, said: str) -> None:
    check(SHOP + text, f"routes[0]{where}", said)


@pytest.mark.parametrize(
    ("call", "where", "said"),
    [
        ("call.agent_id = 0 # <-", "call.agent_id", "0 is not an agent's number: write it, or {{"),
        ("call.agent_id = -4 # <-", "call.agent_id", "-4 is not an agent's number"),
        ('call.agent_id = "Anna" # <-', "call.agent_id", "'Anna' is not an agent's number"),
        ("call.agent_id = 1.5 # <-", "call.agent_id", "must be text in quotes"),
        ("call.agent_id = true # <-", "call.agent_id", "must be text in quotes"),
        ('call.agent_id = "{{ a( }}" # <-', "call.agent_id", "not a JMESPath expression"),
        ('call = "x" # <-', "call", "must be a table"),
    ],
)
def test_an_agent_that_is_none_is_told(call: str, where: str, said: str) -> None:
    number = "" if call.startswith("call =") else '\ncall.phone_number = "{{ phone }}"'
    check(SHOP + route(call=call + number), f"routes[0].{where}", said)


@pytest.mark.parametrize("number", ["14155550123 # <-", "true # <-"])
def test_a_phone_number_is_written_in_quotes(number: str) -> None:
    text = route(call=f"call.agent_id = 1\ncall.phone_number = {number}")
    check(SHOP + text, "routes[0].call.phone_number", "must be text in quotes")


@pytest.mark.parametrize(
    ("record", "field", "said"),
    [
        ('record.purpose = "All calls" # <-', "purpose", "String should match pattern"),
        ('record.granted = "{{ yes }}" # <-', "granted", "write the bare JMESPath here, without"),
        ("record.granted = true # <-", "granted", "must be text in quotes"),
        ('record.phone = "{{ phone }}" # <-', "phone", "there is no such key"),
    ],
)
def test_what_is_wrong_with_a_record_is_told(record: str, field: str, said: str) -> None:
    text = route(f'action = "consent"\n{record}', call=RECORD)
    check(SHOP + text, f"routes[0].record.{field}", said)


def test_an_unknown_source_is_told_with_the_nearest_known_one() -> None:
    text = route().replace('source = "shop"', 'source = "shp" # <-')
    check(SHOP + text, "routes[0].source", "there is no source 'shp'; did you mean 'shop'?")


def test_two_routes_of_one_name_are_told_at_the_second() -> None:
    second = route().replace('name = "first"', 'name = "first" # <-')
    check(SHOP + route() + second, "routes[1].name", "two routes are called 'first'")


def test_a_route_for_a_topic_that_no_sender_can_name_is_told() -> None:
    text = SHOP.replace("shopify", "bearer") + route('on = ["lead"] # <-')
    check(text, "routes[0].on", "never reached: leave `on` out, or say where the topic is")
    assert load(text.replace('"bearer"', '"bearer"\ntopic = "{{ kind }}"')).warnings == []


def test_a_topic_that_is_to_ring_and_to_end_the_call_is_told() -> None:
    text = 'on = ["orders/paid"] # <-\npolicy.cancelled_by = ["orders/paid"]\n' + KEY
    check(SHOP + route(text), "routes[0].on", "'orders/paid' is in policy.cancelled_by too, so it")


def test_a_route_that_cannot_say_which_call_it_ends_is_told() -> None:
    text = route(KEY + 'policy.cancelled_by = ["second"] # <-') + route(name="second")
    check(SHOP + text, "routes[0].policy.cancelled_by", "route 'second' has no policy.key, so it")


def test_a_misspelt_topic_that_should_end_a_call_is_doubted() -> None:
    [warning] = load(SHOP + route(KEY + 'policy.cancelled_by = ["orders/canceled"]')).warnings
    assert str(warning) == (
        "line 9: routes[0].policy.cancelled_by: Shopify is not known to send 'orders/canceled';"
        " did you mean 'orders/cancelled'?"
    )


def test_with_require_consent_every_route_that_rings_asks_for_one() -> None:
    strict = f"require_consent = true\n{SHOP}"
    wish = route('action = "suppress"', name="wish", call=RECORD)
    text = strict + wish + route().replace("[[routes]]", "[[routes]] # <-")
    check(text, "routes[1].policy.consent", "is missing, and require_consent is true")
    assert load(strict + wish + route('policy.consent = "recorded:calls"')).warnings == []


def test_a_table_of_hours_is_checked_whether_a_route_names_it_or_not() -> None:
    tables = '[calling_hours.office] # <-\nmon-fri = "09:00-25:00"\n'
    check(
        SHOP + tables + route(),
        "calling_hours.office",
        '"09:00-25:00" has a time that no clock shows: the last is 24:00',
    )
    used = problems(SHOP + tables + route('policy.calling_hours = "office"'))
    assert [one.where for one in used] == ["calling_hours.office", "routes[0].policy.calling_hours"]


@pytest.mark.parametrize("name", ["default", "any"])
def test_a_table_of_hours_cannot_hide_behind_a_word_with_a_meaning(name: str) -> None:
    text = f'{SHOP}[calling_hours.{name}] {HERE}\nmon-fri = "09:00-12:00"\n{route()}'
    check(text, f"calling_hours.{name}", "has a meaning of its own: give the table another name")


@pytest.mark.parametrize("tables", ["calling_hours = 5", 'calling_hours.office = "09:00-20:00"'])
def test_hours_that_are_no_table_are_told_even_where_a_route_names_them(tables: str) -> None:
    text = tables + "\n" + SHOP + route('policy.calling_hours = "office"')
    said = problems(text)
    assert (said[0].line, said[0].message) == (1, "must be a table")


# --- lines -----------------------------------------------------------------------------------


@pytest.mark.parametrize("quotes", ['"""', "'''"])
@pytest.mark.parametrize(
    "text",
    ["when = {0}\n[?tags == ['a']]\n{0}", "call.metadata.a = {0}\n[[routes]]\ncolour = 1\n{0}"],
)
def test_a_text_of_several_lines_is_not_taken_for_keys(text: str, quotes: str) -> None:
    wrong = route("colour = 1 # <-", name="second")
    check(SHOP + route(text.format(quotes)) + wrong, "routes[1].colour", "there is no such key")


@pytest.mark.parametrize(
    "text",
    [
        '[[routes]]\nname = "a"\n[routes.call]\nagent_id = 1 # <-',
        '[[ routes ]] # first\n["routes"."call"]\n"agent_id" = 1 # <-',
        "[[routes]]\ncall.agent_id = 1 # <-",
        "[[routes]]\ncall . 'agent_id' = 1 # <-",
        '[[routes]]\ncall = { phone_number = "x", agent_id = 1 } # <-',
        '[[routes]]\r\nname = "a"\r\ncall.agent_id = 1 # <-\r\n',
        "[[routes]]\nname = '[[routes]]'\non = [\n'a',\n]\ncall.agent_id = 1 # <-",
        '[[routes]]\nname = "\u2028\x0c"\ncall.agent_id = 1 # <-',
        '[[routes]]\n# """\ncall.agent_id = 1 # <-\n# """',
        "[[routes]] # <-\nname = 'a'",
    ],
)
def test_a_key_is_found_however_it_is_written(text: str) -> None:
    line = next(n for n, one in enumerate(text.split("\n"), 1) if HERE in one)
    after = f'\n[[routes]]\nname = "b"\ncall.agent_id = 2 {HERE}'
    assert line_of(text + after, ("routes", 0, "call", "agent_id")) == line
    assert line_of(text + after, ("routes", 1, "call", "agent_id")) == text.count("\n") + 4


FILES = [ROOT / "src" / "routes.toml", ROOT / "tests" / "e2e" / "routes.toml"]


def leaves(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*place, key))
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for index, part in enumerate(value):
            yield from leaves(part, (*place, index))
    else:
        yield place


@pytest.mark.parametrize("file", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_key_of_the_files_that_there_are_is_found_in_its_line(file: Path) -> None:
    """Or, of a table within a list, in the list's."""
    text = file.read_text()
    lines = text.split("\n")
    for place in leaves(tomllib.loads(text)):
        line = lines[line_of(text, place) - 1]
        *_, around, key = ["", *(part for part in place if isinstance(part, str))]
        assert key in line or f"{around} = [" in line, place


AWKWARD = ["5", "-1", "nan", "true", '""', '"{{"', '"{{ a }}"', '"x"', "[]", "[[]]", "{}", "[{}]"]
VALUES = st.sampled_from([*AWKWARD, "2026-11-23", "{ a = { b = 1 } }", '[""]', "'''\n[[x]]\n'''"])
SETTINGS = sorted({line.partition(" =")[0] for line in ROUTES.splitlines() if " =" in line})


@given(st.data())
def test_no_file_breaks_the_check(data: st.DataObject) -> None:
    """It loads, or all that is wrong has a line of the file and words."""
    lines = ROUTES.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key = data.draw(st.sampled_from([*SETTINGS, lines[at].partition(" =")[0]]))
        lines[at] = data.draw(st.sampled_from(["", f"{key} = {data.draw(VALUES)}"]))
    text = "\n".join(lines)
    try:
        found = load(text).warnings
    except RoutesError as error:
        found = error.problems or pytest.fail("nothing is wrong, and yet it does not load")
    for problem in found:
        assert problem.message
        assert 0 <= problem.line <= text.count("\n") + 1
        assert problem.line or problem.message == "is missing"


@given(st.text())
def test_no_text_breaks_the_check(text: str) -> None:
    with pytest.raises(RoutesError):
        load(text)


# --- what is right ---------------------------------------------------------------------------


def test_what_a_route_leaves_out_has_a_meaning() -> None:
    found = only_route(route())

    assert (found.on, found.when, found.action, found.record) == (None, None, "call", None)
    assert found.call is not None
    assert (found.call.agent_id, found.call.metadata, found.call.account) == (1, {}, "default")
    assert found.call.region is found.call.time_zone is found.call.country is None
    policy = found.policy
    assert policy.purpose == "marketing"
    assert (policy.expires_after, policy.gap) == (timedelta(days=5), timedelta(minutes=15))
    assert (
        policy.calling_hours.text
        == load(SHOP + route('policy.calling_hours = "default"'))
        .of("shop")[0]
        .policy.calling_hours.text
    )
    assert (policy.on_uncertain, policy.test_events) == ("leave", "suppress")
    assert (policy.key, policy.consent, policy.retention) == (None, None, None)
    assert (policy.after, policy.at, policy.before, policy.restart) == (None, None, None, False)
    assert policy.cancelled_by == ()
    assert (policy.redial, policy.outcome_deadline) == (None, timedelta(hours=6))
    assert [cap.text for cap in policy.max_calls] == ["3/24h"]


def test_what_a_file_leaves_out_has_a_meaning() -> None:
    found = load(SHOP + route())

    assert found.countries == {"US"}
    assert found.max_calls_per_day is None
    assert found.warnings == []
    assert (found.sources["shop"].source.tenant, found.sources["shop"].lookups) == (None, ())


@pytest.mark.parametrize(
    "text",
    [
        'on = ["orders/create", "orders/paid"]',
        "when = 'total != `5` && !(test)'",
        'call.region = "us"',
        'call.metadata = { a = "{{ x || \'\' }}", b = 1, c = 1.5, d = true, e = "text" }',
        'call.account = "second"',
        'policy.calling_hours = "any"',
        'policy.calling_hours = "09:00-20:00"',
        'policy.calling_hours = { mon-fri = ["09:00-12:00", "13:00-20:00"], holidays = "closed" }',
        'policy.max_calls = "3/24h"',
        'policy.max_calls = ["1/1h", "3/31d"]',
        "policy.consent = \"{{ consents[?kind == 'calls'] }}\"",
        'policy.consent = "recorded:calls"',
        'policy.retention = "5d"',
        'policy.max_calls = "none"\npolicy.gap = "none"',
        'policy.gap = "2h"',
        'policy.purpose = "collection"',
        'policy.expires_after = "10m"\npolicy.retention = "10m"',
        KEY + 'policy.at = "{{ start_time }}"\npolicy.before = "2h"',
        KEY + 'policy.after = "0s"\npolicy.restart = true',
        KEY + 'policy.on_uncertain = "redial"\npolicy.test_events = "ring"',
        'policy.redial = { on = ["no_answer", "busy", "voicemail"], after = ["2h", "1d"] }',
        'policy.outcome_deadline = "2h"',
        'policy.key = "order {{ id }}"\npolicy.cancelled_by = ["orders/cancelled", "first"]',
    ],
)
def test_these_settings_are_taken_without_a_doubt(text: str) -> None:
    assert load(SHOP + route(text)).warnings == []


@pytest.mark.parametrize(
    ("text", "agent"), [("1042", 1042), ('"1042"', "1042"), ('"{{ agent }}"', "{{ agent }}")]
)
def test_an_agent_is_a_number_or_a_text_or_stands_in_the_payload(text: str, agent: object) -> None:
    call = only_route(route(call=CALL.replace("= 1", f"= {text}"))).call
    assert call is not None
    written = call.agent_id.text if isinstance(call.agent_id, Template) else call.agent_id
    assert written == agent


def test_settings_become_what_they_mean() -> None:
    policy = only_route(
        route(
            'policy.max_calls = ["1/1h", "3/7d"]\npolicy.consent = "{{ agreed }}"\n'
            'policy.expires_after = "90s"\npolicy.calling_hours = "office"'
        )
        + '[calling_hours.office]\nmon = "09:00-17:00"'
    ).policy

    assert policy.max_calls == (
        Cap(1, timedelta(hours=1), "1/1h"),
        Cap(3, timedelta(days=7), "3/7d"),
    )
    assert isinstance(policy.consent, Expression)
    assert policy.consent({"agreed": "yes"}, NOW) == "yes"
    assert policy.expires_after == timedelta(seconds=90)
    assert policy.calling_hours.text == 'as table "office" says'
    assert only_route(route('policy.consent = "recorded:offers"')).policy.consent == "offers"


def test_routes_are_found_by_source_and_by_name() -> None:
    found = load(ROUTES)

    assert [one.name for one in found.of("shop")] == ["confirm-order"]
    assert found.of("nobody") == ()
    assert found.named("call-me") is found.of("form")[0]
    assert found.named("gone") is None


def test_a_source_is_its_provider_as_its_settings_make_it() -> None:
    found = load(source('[sources.other]\nprovider = "bearer"\ntopic = "{{ kind }}"')).sources

    assert found["other"].provider.has_topics
    assert not load(SHOP.replace("shopify", "bearer") + route()).sources["shop"].provider.has_topics
    assert found["shop"].provider is providers.find("shopify")


# --- the schema for editors ------------------------------------------------------------------


def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_takes_every_file_that_there_is() -> None:
    editor = validator()
    for text in [ROUTES, SHOP + route(), *(file.read_text() for file in FILES)]:
        assert list(editor.iter_errors(tomllib.loads(text))) == []


@pytest.mark.parametrize(
    "text",
    [
        SHOP.replace('countries = ["US"]', "") + route(),
        SHOP.replace('["US"]', "[]") + route(),
        SHOP,
        f"colour = 1\n{SHOP}{route()}",
        source('[sources.other]\nprovider = "shopfy"'),
        source('[sources.other]\nprovider = "shopify"\nsecret = "x"'),
        source('[sources.other]\nprovider = "hmac"'),
        SHOP + route("colour = 1"),
        SHOP + route("on = []"),
        SHOP + route("when = true"),
        SHOP + route('action = "text"'),
        SHOP + route('policy.after = "90 s"'),
        SHOP + route('policy.on_uncertain = "ring"'),
        SHOP + route('call.acount = "x"'),
        SHOP + route("call.metadata.a = [1]"),
        SHOP + route(call="call.agent_id = 1"),
        SHOP + route(name="Not a name"),
    ],
)
def test_the_schema_refuses_what_the_check_refuses(text: str) -> None:
    assert problems(text)
    assert list(validator().iter_errors(tomllib.loads(text)))
