"""What `ringhook check` says of a valid file: each doubt with its line and its cure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringhook.errors import Problem
from ringhook.reading import phone
from ringhook.routing.routes_file import load
from ringhook_ops.catalogue import recipes
from ringhook_ops.catalogue.recipes import Recipe
from ringhook_ops.cli import app
from ringhook_ops.diagnosis.doubts import doubts
from ringhook_ops.dry_run import trying

ROOT = Path(__file__).parents[1]
SHOP = """
countries = ["US"]

[sources.shop]
provider = "shopify"
"""
ROUTE = """
[[routes]]
name = "{name}"
source = "{source}"
{more}

[routes.call]
agent_id = 1
{call}
"""
PHONE = 'phone_number = "{{ shipping_address.phone }}"\nregion = "US"'


def route(more: str = 'on = ["orders/create"]', call: str = PHONE, name: str = "one") -> str:
    return ROUTE.format(name=name, source="shop", more=more, call=call)


def doubted(text: str) -> list[Problem]:
    routes = load(text)
    return routes.warnings + doubts(routes, text, trying.tried(routes))


def said(text: str) -> str:
    """The one doubt that there is."""
    (problem,) = doubted(text)
    assert problem.line
    return f"{problem.where}: {problem.message}"


def test_a_sound_route_is_not_doubted() -> None:
    assert doubted(SHOP + route()) == []


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("{{ shipping_address.fone }}", "no sample has the field 'fone' (right if it is a field"),
        ("{{ shiping_address.phone }}", "'shiping_address'; did you mean 'shipping_address'?"),
        ("{{ custmer.phone || phone }}", "'custmer'; did you mean 'customer'?"),
        ("{{ first_phone(phone, custmer.phone) }}", "'custmer'; did you mean 'customer'?"),
        ("{{ line_items[0].titel }}", "'titel'; did you mean 'title'?"),
        ("{{ line_items[?titel == 'x'] | [0].sku }}", "'titel'; did you mean 'title'?"),
        ("{{ line_items[].titel | [0] }}", "'titel'; did you mean 'title'?"),
        ("{{ lower(customer.emial) }}", "'emial'; did you mean 'email'?"),
        ("{{ my_field || 'none' }}", "no sample has the field 'my_field' (right if it is a field"),
    ],
)
def test_a_field_that_no_sample_has_is_told(field: str, message: str) -> None:
    call = f'{PHONE}\nmetadata = {{ it = "{field}" }}'
    assert message in said(SHOP + route(call=call))


@pytest.mark.parametrize(
    "field",
    [
        "{{ phone || my_phone }}",
        "{{ first_phone(my_phone, phone) }}",
        "{{ note_attributes[?name == 'consent'].value | [0] }}",
        "{{ customer.default_address.[zip, city] }}",
        "{{ to_string(@) }}",
    ],
)
def test_an_alternative_that_is_there_excuses_one_that_is_not(field: str) -> None:
    assert doubted(SHOP + route(call=f'{PHONE}\nmetadata = {{ it = "{field}" }}')) == []


def test_what_must_not_be_there_need_not_be() -> None:
    assert doubted(SHOP + route('on = ["orders/create"]\nwhen = "!(my_flag)"')) == []


@pytest.mark.parametrize(
    "condition", ['contains(payment_gateway_names, "COD")', 'financial_status == "paid"']
)
def test_a_text_in_double_quotes_is_a_field_and_told(condition: str) -> None:
    assert "in double quotes is a field's name: write the text as '" in said(
        SHOP + route(f"on = ['orders/create']\nwhen = '{condition}'")
    )


def test_a_field_in_double_quotes_that_needs_them_is_right() -> None:
    text = """
countries = ["US"]

[sources.crm]
provider = "hubspot"
signature = "any"

[[routes]]
name = "one"
source = "crm"
on = ["workflow"]
when = '"portal-id" == `1`'
call = { agent_id = 1, phone_number = "{{ properties.phone.value }}", region = "US" }
"""
    assert doubted(text) == []


def test_a_topic_near_a_known_one_is_told() -> None:
    message = said(SHOP + route('on = ["orders/create", "order/create"]'))

    assert message.endswith("to send 'order/create'; did you mean 'orders/create'?")


@pytest.mark.parametrize(
    ("written", "message"),
    [("USA", "'USA' is read as 'US': write that"), ("Narnia", "'Narnia' names no country")],
)
def test_a_country_that_is_no_code_is_told(written: str, message: str) -> None:
    assert message in said(SHOP + route(call=PHONE.replace('"US"', f'"{written}"')))


def test_two_routes_that_ring_one_person_for_one_event_are_told() -> None:
    message = said(SHOP + route() + route('on = ["orders/create"]\nwhen = "id"', name="two"))

    assert message.startswith("routes[1].name: rings whom 'one' rings, for the same event (the s")


def test_so_are_two_alike_of_a_sender_whose_events_nobody_knows() -> None:
    text = 'countries = ["US"]\n[sources.shop]\nprovider = "bearer"\n'
    same = 'phone_number = "{{ tel }}"\nregion = "US"'

    assert "rings whom 'one' rings" in said(
        text + route("", call=same) + route("", call=same, name="two")
    )
    apart = route("when = \"kind == 'a'\"", call=same) + route("", call=same, name="two")
    assert doubted(text + apart) == []


def test_a_reminder_beside_a_call_about_the_booking_is_meant() -> None:
    text = recipes.add(None, recipes.find("calcom", "demo-booked"), countries=["GB"]).text
    both = recipes.add(text, recipes.find("calcom", "appointment-reminder")).text

    assert doubted(both) == []


EVERY = {f"{p}/{one.name}": one for p in recipes.providers() for one in recipes.of(p)}


@pytest.mark.parametrize("name", EVERY)
def test_no_ready_route_is_doubted_and_each_rings_for_a_sample(name: str) -> None:
    recipe: Recipe = EVERY[name]
    text = recipes.add(None, recipe, countries=["US", *sorted(phone.COUNTRIES)]).text

    assert doubted(text) == []
    assert "rings" in {row.outcome for row in trying.tried(load(text))}


@pytest.mark.parametrize("file", ["src/routes.toml", "ops/ringhook_ops/local/demo-routes.toml"])
def test_nor_are_the_routes_that_come_with_it(file: str) -> None:
    assert doubted((ROOT / file).read_text()) == []


def test_the_route_in_the_readme_beside_its_ready_route_is_told() -> None:
    readme = (ROOT / "README.md").read_text()
    shown = readme[readme.index("   ```toml\n") + 11 :].partition("   ```")[0]
    own = "\n".join(line.removeprefix("   ") for line in shown.splitlines())
    both = recipes.add(own, recipes.find("shopify", None)).text

    assert doubted(own) == []
    assert "rings whom 'confirm-cod-order' rings" in said(both)


def test_init_tells_that_a_route_rings_the_same_person_already(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(SHOP + route())

    told = CliRunner().invoke(app, ["init", "shopify", "--file", str(file)])

    assert told.exit_code == 0
    assert "rings whom 'one' rings" in told.stderr


def test_check_tells_what_each_route_makes_of_its_senders_samples(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(SHOP + route() + route('on = ["orders/paid"]', name="two"))

    plain = CliRunner().invoke(app, ["check", str(file)])
    told = json.loads(CliRunner().invoke(app, ["check", str(file), "--json"]).stdout)

    assert plain.exit_code == 0
    assert "rings +14155550123" in plain.stdout
    assert "no sample of its sender is one of its topics" in plain.stdout
    assert [(row["route"], row["sample"], row["outcome"]) for row in told["tried"]] == [
        ("one", "orders/create", "rings")
    ]


def test_a_file_that_is_wrong_is_tried_on_nothing(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text("countries = 5")

    wrong = CliRunner().invoke(app, ["check", str(file), "--json"])

    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)["tried"] == []
