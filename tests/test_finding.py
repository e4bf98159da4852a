"""Senders are found by name and by what people want, and it is told where a number is from."""

import json

import pytest
from typer.testing import CliRunner, Result

from ringhook.senders import providers
from ringhook_ops.catalogue import recipes
from ringhook_ops.cli import app
from ringhook_ops.commands import finding


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200", "NO_COLOR": "1"})


def found(wish: str) -> set[str]:
    return {f"{row.provider}/{row.recipe}" for row in finding.search(wish)}


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        ("failed payment", {"razorpay/failed-payment", "stripe/failed-payment"}),
        ("payment failed", {"cashfree/failed-payment", "chargebee/failed-payment"}),
        ("declined card", {"stripe/failed-payment"}),
        ("missed call", {"exotel/missed-call"}),
        ("missed calls", {"exotel/missed-call"}),
        ("abandoned cart", {"shopify/abandoned-checkout"}),
        ("Abandoned-Cart", {"shopify/abandoned-checkout"}),
        ("lead form", {"google-ads/speed-to-lead", "meta/speed-to-lead"}),
        ("lead from an ad", {"google-ads/speed-to-lead", "meta/speed-to-lead"}),
        ("undelivered parcel", {"shiprocket/failed-delivery", "aftership/failed-delivery"}),
        ("NDR", {"shiprocket/failed-delivery", "clickpost/failed-delivery"}),
        ("cash on delivery", {"shopify/cod-confirmation"}),
        ("appointment reminder", {"acuity/appointment-reminder", "calendly/appointment-reminder"}),
        ("alarm", {"github/on-call"}),
    ],
)
def test_what_people_want_finds_the_ready_routes_for_it(wish: str, wanted: set[str]) -> None:
    assert wanted <= found(wish)


@pytest.mark.parametrize("wish", ["failed payment", "missed call", "abandoned cart"])
def test_a_wish_finds_nothing_of_another_kind(wish: str) -> None:
    kinds = {row.recipe for row in finding.search(wish)}
    assert "speed-to-lead" not in kinds
    assert "on-call" not in kinds


@pytest.mark.parametrize("name", sorted({*providers.names(), *providers.SERVED_BY}))
def test_every_name_is_found_whoever_serves_it(name: str) -> None:
    rows = finding.search(name)
    served = providers.SERVED_BY.get(name, name)
    assert any(row.provider == served for row in rows)


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("ERPNext", "frappe"),
        ("amoCRM", "kommo"),
        ("Zapier", "bearer"),
        ("Acuity Scheduling", "acuity"),
    ],
)
def test_a_name_as_people_write_it_is_found(name: str, provider: str) -> None:
    assert provider in {row.provider for row in finding.search(name)}


def test_whose_own_line_speaks_of_the_wish_comes_first() -> None:
    assert "form" in finding.about(finding.search("lead form")[0]).lower()


def test_each_kind_of_route_has_words_to_find_it_by() -> None:
    kinds = {one.name for name in recipes.providers() for one in recipes.of(name)}
    assert kinds <= finding.WANTS.keys()


def test_it_is_told_where_the_number_is_from() -> None:
    numbers = {f"{row.provider}/{row.recipe}": row.number for row in finding.every()}

    assert numbers["shopify/cod-confirmation"] == "sent"
    assert numbers["shiprocket/failed-delivery"] == "fetched"
    assert numbers["clickpost/failed-delivery"] == "own"


def test_the_command_says_which_events_have_a_number_and_as_json_where() -> None:
    told = run("providers", "undelivered", "parcel")
    rows = json.loads(run("providers", "undelivered parcel", "--json").stdout)

    assert "UNDELIVERED" in told.stdout
    assert "fetched from it" in told.stdout
    (row,) = [one for one in rows if one["provider"] == "shiprocket"]
    assert row["events"] == ["UNDELIVERED"]
    assert row["phone_number"] == "{{ order.data.customer_phone }}"


def test_a_name_with_a_slip_is_answered_with_the_one_that_is_meant() -> None:
    told = run("providers", "shiprockett")

    assert told.exit_code == 1
    assert "shiprocket" in told.stderr
