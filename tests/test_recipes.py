"""Ready routes: each makes the right call of its provider's sample, and spoils no file."""

import re
import shlex
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ringhook.calls.call import Call
from ringhook.deciding.calling_hours import ANY
from ringhook.deciding.policy import Defer, History, Ring, decide
from ringhook.reading import phone
from ringhook.reading.expressions import Template
from ringhook.routing import routes_file
from ringhook.routing.mapping import map_event
from ringhook.routing.routes import Routes
from ringhook.senders import providers
from ringhook.senders.enrichment import put
from ringhook_ops.catalogue import recipes
from ringhook_ops.catalogue.recipes import Recipe, RecipeError
from ringhook_ops.cli import app
from ringhook_ops.samples import library, webhooks
from ringhook_ops.sandbox.senders import CREDENTIAL, Senders

NOW = datetime(2026, 7, 14, 14, 12, tzinfo=UTC)
EXPECTED = tomllib.loads((Path(__file__).parent / "recipes.toml").read_text())
RECIPES = {
    f"{one.provider}/{one.name}": one for name in recipes.providers() for one in recipes.of(name)
}
EVERY_RECIPE = pytest.mark.parametrize("name", RECIPES)
OWN = """# the shop's own file
countries = ["US"]   # only here

[sources.shop]
provider = "shopify"

[[routes]]
name = "other"
source = "shop"
call = { agent_id = 1, phone_number = "{{ phone }}" }"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings and no routes of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")


def run(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=given)


def added(recipe: Recipe, **options: Any) -> tuple[recipes.Addition, Routes]:
    """A new file with this recipe alone, for every country."""
    whole = recipes.add(None, recipe, countries=["US", *sorted(phone.COUNTRIES)], **options)
    return whole, routes_file.load(whole.text)


def mapped(name: str, text: str) -> list[Any]:
    """What the routes make of the sample that the recipe is tried with, its rest fetched."""
    routes = routes_file.load(text)
    command = shlex.split(RECIPES[name].command("it"))
    topic = None if command[3].startswith("--") else command[3]
    request = webhooks.webhook(library.find(command[2], topic), routes, now=NOW)
    provider = routes.sources[request.source].provider
    (event,) = provider.events(request, provider.payload(request))
    senders = Senders(library.answers())
    for lookup in routes.sources[request.source].lookups:
        address = lookup.vouched(lookup.address(event.payload, NOW), CREDENTIAL)
        address = address.removeprefix("https://")
        _, answer = senders.answer(address, lookup.headers(CREDENTIAL), NOW)
        event = replace(event, payload=put(event.payload, lookup.into, answer))
    return map_event(event, routes, now=NOW)


def test_every_provider_has_recipes_and_every_recipe_is_looked_at() -> None:
    asking = [name for name in providers.names() if not providers.find(name).ending]
    assert recipes.providers() == asking
    assert EXPECTED.keys() == RECIPES.keys()


@EVERY_RECIPE
def test_a_recipe_makes_the_right_call_of_its_providers_sample(name: str) -> None:
    whole, routes = added(RECIPES[name], agent=77)
    expected = EXPECTED[name]

    (call,) = mapped(name, whole.text)

    assert isinstance(call, Call)
    assert not call.unmapped
    assert (call.agent_id, call.test) == (77, False)
    assert call.phone_number == expected["number"]
    assert expected["told"].items() <= call.metadata.items()
    assert call.metadata["call_reason"]
    assert "" not in call.metadata.values()
    waits = timedelta(minutes=expected.get("after", 0))
    if "before" in expected:
        assert call.appointment
        assert call.ring_at == call.appointment - timedelta(minutes=expected["before"])
    else:
        assert call.ring_at == (call.occurred_at + waits if waits else None)
    assert isinstance(decide(call, routes, History(), NOW), Ring | Defer)


@EVERY_RECIPE
def test_a_recipe_rings_at_permitted_hours_once_for_each_thing(name: str) -> None:
    _, routes = added(RECIPES[name])

    (route,) = routes.routes
    assert routes.warnings == []
    assert route.policy.key is not None
    assert route.policy.on_uncertain == "leave"
    assert route.policy.calling_hours != ANY
    assert route.policy.max_calls
    assert "purpose" in routes.stated[route.name]


def test_of_the_ready_routes_only_those_that_ring_ones_own_people_have_no_opening() -> None:
    without = {name for name, one in RECIPES.items() if "$opening" not in one.text}

    assert without == {
        "clickpost/failed-delivery",
        "github/on-call",
        "grafana/on-call",
        "pagerduty/on-call",
        "sns/on-call",
    }


@pytest.mark.parametrize("country", ["US", "IN", "SA", "AE", "GB"])
@pytest.mark.parametrize("name", [name for name, one in RECIPES.items() if "$opening" in one.text])
def test_the_agent_says_who_calls_that_it_is_an_ai_and_why_as_the_country_has_it(
    name: str, country: str
) -> None:
    text = recipes.add(None, RECIPES[name], countries=[country]).text
    routes = routes_file.load(text)

    assert routes.warnings == []
    opening = tomllib.loads(text)["routes"][0]["call"]["metadata"]["opening"]
    assert "AI assistant" in opening
    assert "YOUR COMPANY" in opening
    assert re.search(r"about \w+", opening)
    assert "{" not in opening
    assert "recorded" not in opening
    assert opening.startswith("Namaste") == (country == "IN")
    purpose_first = opening.index("about") < opening.index("YOUR COMPANY")
    assert purpose_first == opening.endswith("Do you wish to go on?") == (country == "SA")
    company_first = opening.index("YOUR COMPANY") < opening.index("AI")
    assert company_first == opening.endswith("May I go on?") == (country == "AE")


@pytest.mark.parametrize(
    ("recipe", "country", "note"),
    [
        (("tally", "speed-to-lead"), "IN", "140 series"),
        (("razorpay", "failed-payment"), None, "1600 series"),
        (("shopify", "cod-confirmation"), "SA", "official number"),
        (("tally", "speed-to-lead"), "AE", "local number in the company's name"),
        (("shopify", "cod-confirmation"), "AE", None),
        (("tally", "speed-to-lead"), "US", None),
    ],
)
def test_what_the_country_wants_of_the_number_is_noted_below_the_purpose(
    recipe: tuple[str, str], country: str | None, note: str | None
) -> None:
    text = recipes.add(None, recipes.find(*recipe), countries=[country] if country else []).text

    line = text.partition("\npurpose = ")[2].splitlines()[1]
    assert line.startswith("# ") == (note is not None)
    assert note is None or note in line


@EVERY_RECIPE
def test_what_the_agent_would_be_told_never_costs_a_call(name: str) -> None:
    _, routes = added(RECIPES[name])

    (route,) = routes.routes
    assert route.call
    for template in route.call.metadata.values():
        if isinstance(template, Template):
            assert template.render({}, NOW) is not None


@pytest.mark.parametrize("name", [n for n, one in RECIPES.items() if "# consent = " in one.text])
def test_the_consent_that_a_recipe_shows_can_be_asked_for(name: str) -> None:
    whole, _ = added(RECIPES[name])
    text = re.sub("^# consent = ", "consent = ", whole.text, flags=re.MULTILINE)

    (call,) = mapped(name, text)

    assert "consent" in tomllib.loads(text)["routes"][0]["policy"]
    assert call.consent == EXPECTED[name].get("consent", True)


@EVERY_RECIPE
def test_the_command_to_try_a_recipe_works(name: str) -> None:
    recipe = RECIPES[name]
    run("init", recipe.provider, "--recipe", recipe.name, "--country", "US")
    event, map_ = recipe.command(library.find(recipe.provider).source).split(" | ")

    sent = run(*shlex.split(event)[1:])
    told = run(*shlex.split(map_)[1:], given=sent.stdout)

    assert (sent.exit_code, told.exit_code) == (0, 0), sent.output + told.output
    assert recipe.name in told.stdout


def test_what_stands_in_a_file_stays_as_it_is() -> None:
    whole = recipes.add(OWN, recipes.find("shopify", "abandoned-checkout"))

    assert whole.text.startswith(OWN + "\n\n#")
    assert whole.source == "shop"
    assert whole.text.count("[sources.shop]") == 1
    assert [route.name for route in routes_file.load(whole.text).routes] == [
        "other",
        "shop-abandoned-checkout",
    ]
    assert whole.text.splitlines()[whole.agent_line - 1].startswith("agent_id = 1042")


def test_numbers_that_name_no_country_are_of_the_files() -> None:
    text = OWN.replace('["US"]', '["GB"]')

    assert "|| 'GB' }}" in recipes.add(text, recipes.find("tally", None)).text
    assert "|| 'DE' }}" in recipes.add(None, recipes.find("tally", None), countries=["DE"]).text


def test_a_sender_of_one_country_means_its_numbers_unless_another_is_said() -> None:
    new = recipes.add(None, recipes.find("razorpay", None))
    there = recipes.add(OWN, recipes.find("exotel", None))
    said = recipes.add(None, recipes.find("razorpay", None), countries=["AE"])

    assert 'countries = ["IN"]' in new.text
    assert 'region = "IN"' in new.text
    assert there.missing_countries == ("IN",)
    assert 'region = "AE"' in said.text


@pytest.mark.parametrize("provider", recipes.HOMES)
def test_senders_of_one_country_are_senders(provider: str) -> None:
    assert provider in recipes.providers()


def test_a_country_that_the_file_does_not_allow_is_told_and_not_added() -> None:
    whole = recipes.add(OWN, recipes.find("razorpay", None), countries=["IN", "US"])

    assert whole.missing_countries == ("IN",)
    assert 'countries = ["US"]   # only here' in whole.text


@pytest.mark.parametrize(
    ("text", "recipe", "source", "said"),
    [
        (OWN, ("woocommerce", None), "shop", "'shop' is of provider 'shopify'"),
        (OWN.replace("other", "shop-cod-confirmation"), ("shopify", None), None, "is there alread"),
        (OWN, ("shopify", None), "The Shop", "no name of a source"),
        ("countries = 5", ("shopify", None), None, "is not valid as it is: sources: is missing"),
        ("countries = [", ("shopify", None), None, "is not valid as it is"),
        (
            OWN.replace('"shopify"', '"meta"\nverify_token = "x"'),
            ("meta", None),
            None,
            "write enrich = 'lead' into it first",
        ),
    ],
)
def test_a_recipe_that_does_not_fit_a_file_is_refused(
    text: str, recipe: tuple[str, str | None], source: str | None, said: str
) -> None:
    with pytest.raises(RecipeError, match=re.escape(said)):
        recipes.add(text, recipes.find(*recipe), source=source)


def test_a_second_sender_of_a_kind_gets_a_name_of_its_own() -> None:
    assert recipes.add(OWN, recipes.find("woocommerce", None)).source == "woocommerce"
    other = recipes.add(OWN, recipes.find("shopify", None), source="outlet")
    assert other.routes == ("outlet-cod-confirmation",)
    assert '[sources.outlet]\nprovider = "shopify"' in other.text


def test_without_a_name_the_recipe_for_the_usual_webhook_is_taken() -> None:
    assert recipes.find("shopify", None).name == "cod-confirmation"
    assert recipes.find("jotform", None).name == "speed-to-lead"
    with pytest.raises(RecipeError, match="it has abandoned-checkout, cod-confirmation, delivery"):
        recipes.find("shopify", "renewal")


def test_init_writes_a_file_that_can_be_checked_and_says_what_comes_next(tmp_path: Path) -> None:
    file = tmp_path / "src/routes.toml"

    first = run("init", "shopify", "--country", "us")
    second = run("init", "calendly", "--recipe", "demo-booked", "--agent", "77", "--country", "GB")

    assert (first.exit_code, second.exit_code) == (0, 0)
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "1042" in text)
    assert f"put your agent's number into src/routes.toml:{line}" in first.stdout
    assert "agent's number" not in second.stdout
    assert "put your company's name for YOUR COMPANY in src/routes.toml" in second.stdout
    assert 'add "GB" to `countries` in src/routes.toml' in second.stdout
    assert "ringhook secret set bookings" in second.stdout
    assert run("check").exit_code == 0


def test_init_that_is_refused_writes_nothing(tmp_path: Path) -> None:
    run("init", "shopify")
    file = tmp_path / "src/routes.toml"
    before = file.read_text()

    again = run("init", "shopify")

    assert again.exit_code == 1
    assert "'shop-cod-confirmation' is there already" in again.stderr
    assert file.read_text() == before
    assert run("init", "nobody").exit_code == 2
    assert run("init", "shopify", "--country", "Narnia", "--file", "new/routes.toml").exit_code == 1
    assert not (tmp_path / "new").exists()


def test_recipes_are_listed() -> None:
    assert "delivery-window" in run("recipes").stdout
    assert "cod-confirmation" not in run("recipes", "calendly").stdout
    assert '"recipe": "demo-booked"' in run("recipes", "calendly", "--json").stdout
    assert run("recipes", "nobody").exit_code == 2
