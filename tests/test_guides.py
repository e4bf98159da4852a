"""The pages about senders: made from the data that serves them, current, and tried."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from ringhook.routing.routes_file import load
from ringhook.senders import providers, signatures
from ringhook.senders.providers import Source
from ringhook.senders.request import Request
from ringhook_ops.catalogue import guides, pages, recipes
from ringhook_ops.cli import app
from ringhook_ops.samples import library, webhooks

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "providers"


def names(settings: type[Source]) -> set[str]:
    """What a source's table may say."""
    return {field.name for field in fields(settings)}


EVERY_PROVIDER = pytest.mark.parametrize("name", providers.names())
BY_HAND = [name for name in providers.names() if guides.curl(name)]


@EVERY_PROVIDER
def test_every_provider_has_a_current_page(name: str) -> None:
    assert (PAGES / f"{name}.md").read_text() == pages.page(name), "ringhook providers --write"


def test_the_list_of_senders_is_current_and_has_no_page_too_many() -> None:
    assert (PAGES / "README.md").read_text() == pages.index()
    assert {path.stem for path in PAGES.glob("*.md")} == {"README", *providers.names()}
    assert {path.stem for path in guides.FOLDER.iterdir()} == set(providers.names())


@EVERY_PROVIDER
def test_a_page_says_where_to_click_which_secret_and_which_topics(name: str) -> None:
    page, guide, provider = pages.page(name), guides.find(name), providers.find(name)

    assert guide.steps
    for said in (*guide.steps, guide.secret, guide.waits, guide.again, guide.unconfirmed):
        assert said in page
    assert ("Not confirmed: the names in these settings" in page) == guide.steps_unconfirmed
    for topic in (*provider.never, *provider.topics[:40]):
        assert f"`{topic}`" in page
    for setting in names(provider.settings) - names(Source):
        assert f"| `{setting}` |" in page
    for recipe in recipes.of(name):
        assert f"| `{recipe.name}` | {recipe.title} |" in page
    for sample in library.names(name):
        assert f"$ ringhook send {name} {sample} --url WEBHOOKS_URL" in page
    assert all(line in page for line in guides.curl(name))


@EVERY_PROVIDER
def test_the_settings_on_a_page_are_valid(name: str) -> None:
    (settings,) = re.findall(r"```toml\n(.*?)```", pages.page(name), re.DOTALL)

    source = library.find(name).source
    if providers.find(name).ending:
        assert source in load(f'countries = ["US"]\nroutes = []\n{settings}').sources
        return
    recipe = recipes.find(name, None)
    text = f'countries = ["US"]\n{settings}\n'
    call = '{ agent_id = 1, phone_number = "1" }'
    route = f'[[routes]]\nname = "x"\nsource = "{source}"\ncall = {call}'
    # The recipe finds the source there, and asks for no other.
    if "enrich" not in recipe.text:
        assert recipes.add(text + route, recipe).source == source


@pytest.fixture
def caught() -> Iterator[tuple[str, list[Request]]]:
    """A server on loopback that answers 202, its address, and what it was sent."""
    requests: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            requests.append(
                Request(
                    source=self.path.partition("?")[0].rpartition("/")[2],
                    method=self.command,
                    url=f"http://{self.headers['host']}{self.path}",
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=body,
                    received_at=datetime.now(UTC),
                )
            )
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks", requests
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs both")
@pytest.mark.parametrize("name", BY_HAND)
def test_the_curl_on_a_page_is_genuine(name: str, caught: tuple[str, list[Request]]) -> None:
    address, requests = caught
    sample = library.find(name)
    script = "\n".join(guides.curl(name))
    environment = {"SECRET": sample.secret, "WEBHOOKS_URL": address, "PATH": "/usr/bin:/bin"}

    subprocess.run(["sh", "-ec", script], env=environment, cwd=ROOT, check=True, timeout=20)

    (request,) = requests
    provider = webhooks.provider_of(sample, None, sample.source)
    signatures.verify(provider.schemes, request, [sample.secret], request.received_at)
    assert request.source == sample.source
    (event, *_) = provider.events(request, provider.payload(request))
    made = replace(webhooks.webhook(sample, None, now=request.received_at), body=request.body)
    assert event.topic == provider.events(made, provider.payload(made))[0].topic


def test_a_shell_signs_for_all_but_those_whose_signature_needs_more() -> None:
    assert set(providers.names()) - set(BY_HAND) == {
        "gohighlevel",
        "hubspot",
        "myfatoorah",
        "payu",
        "sns",
        "square",
        "tap",
        "twilio",
        "woocommerce",
    }


def test_the_command_lists_senders_and_shows_one() -> None:
    run = CliRunner().invoke
    environment = {"COLUMNS": "200", "NO_COLOR": "1"}

    listed = run(app, ["providers"], env=environment)
    shown = run(app, ["providers", "calendly"], env=environment)

    assert all(name in listed.stdout for name in providers.names())
    assert "invitee.created" in shown.stdout
    assert run(app, ["providers", "nonesuch"]).exit_code == 1


def test_the_command_writes_every_page(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["providers", "--write", str(tmp_path / "new")])

    assert len(list((tmp_path / "new").iterdir())) == len(providers.names()) + 1
