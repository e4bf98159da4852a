"""The `ringhook` command, as a person or a program calls it."""

import base64
import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import typer
from typer.testing import CliRunner, Result

from ringhook import settings
from ringhook.calls.call import Call, Status
from ringhook.calls.item import Item
from ringhook.calls.outcomes import Outcome
from ringhook.clients.ledger import Ledger
from ringhook.senders import providers
from ringhook_ops import rc
from ringhook_ops.cli import app
from ringhook_ops.deployed import deployment
from ringhook_ops.deployed.deployment import Deployment
from ringhook_ops.samples import library, webhooks
from ringhook_ops.sandbox import server
from ringhook_ops.sandbox.server import Sandbox

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DEMO = str(webhooks.DEMO_ROUTES)
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `.ringhookrc` of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    # Lines as long as they come, without colours.
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def run() -> Run:
    def call(*words: str, status: int = 0, stdin: str = "") -> Result:
        result = CliRunner().invoke(app, list(words), input=stdin)
        assert result.exit_code == status, (result.output, result.exception)
        return result

    return call


def routes_file(tmp_path: Path, text: str) -> str:
    file = tmp_path / "routes.toml"
    file.write_text(text)
    return str(file)


def sample_event(run: Run, *words: str) -> str:
    return run("event", *words, "--routes", DEMO).stdout


# check and schema


def test_check_says_what_each_route_enforces(run: Run) -> None:
    said = run("check", DEMO).stdout

    assert "confirm-cod-order: shop (shopify)" in said
    assert re.search(r"expires_after +6h", said)
    assert re.search(r"countries +GB, IN, US", said)
    assert re.search(r"consent +not set", said)


def test_check_leaves_out_no_rule_of_a_policy(run: Run) -> None:
    from dataclasses import fields

    from ringhook.routing.routes import Policy

    (route, *_) = json.loads(run("check", DEMO, "--json").stdout)["routes"]

    assert {one.metadata.get("alias", one.name) for one in fields(Policy)} <= route.keys()
    assert (route["key"], route["expires_after"], route["on"]) == (
        "{{ id }}",
        "6h",
        ["orders/create"],
    )


def test_check_names_file_line_and_cure(run: Run, tmp_path: Path) -> None:
    file = routes_file(tmp_path, webhooks.DEMO_ROUTES.read_text().replace('"6h"', '"6 hours"'))
    line = next(
        n
        for n, text in enumerate(Path(file).read_text().splitlines(), 1)
        if "hours" in text and "6 " in text
    )

    result = run("check", file, status=1)

    assert result.stderr.startswith(
        f"{file}:{line}: routes[0].policy.expires_after: write a number"
    )
    assert result.stdout == ""
    assert json.loads(run("check", file, "--json", status=1).stdout)["problems"][0]["line"] == line


ROUTE = """
[[routes]]
name = "first"
source = "shop"
call = { agent_id = 1, phone_number = "{{ phone }}" }
"""


def test_check_warns_of_a_topic_that_the_provider_is_not_known_to_send(
    run: Run, tmp_path: Path
) -> None:
    text = webhooks.DEMO_ROUTES.read_text().replace('"orders/create"', '"orders/crate"')

    result = run("check", routes_file(tmp_path, text))

    assert "did you mean 'orders/create'? (warning)" in result.stderr


@pytest.mark.parametrize(
    ("when", "doubted"),
    [
        ("!customer.phone", True),
        ("test && !(!customer.tags[0].name)", True),
        ("!customer[?phone]", True),
        ("!(customer.phone)", False),
        ("!phone && !(customer.phone) && !tags[0]", False),
        ("!phone == test", False),
    ],
)
@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("when = {!r}", "routes[1].when"),
        ("policy.consent = '{{{{ {} }}}}'", "routes[1].policy.consent"),
    ],
)
def test_check_warns_of_a_not_that_takes_less_than_it_seems_to(
    run: Run, tmp_path: Path, when: str, setting: str, place: str, *, doubted: bool
) -> None:
    """JMESPath reads `!a.b` as `(!a).b`, and nothing has a part `b` of true or false."""
    route = f"""
[[routes]]
name = "other"
source = "shop"
{setting.format(when)}
call = {{ agent_id = 1, phone_number = "{{{{ phone }}}}" }}
"""
    text = f'countries = ["US"]\n[sources.shop]\nprovider = "shopify"\n{ROUTE}{route}'

    said = run("check", routes_file(tmp_path, text)).stderr

    line = text.splitlines().index(setting.format(when)) + 1
    assert (f":{line}: {place}: `!` takes only what is next to it" in said) == doubted


def test_check_of_a_file_that_is_not_there_says_so(run: Run) -> None:
    assert "nowhere.toml cannot be read" in run("check", "nowhere.toml", status=1).stderr


def test_the_schema_in_docs_is_current(run: Run) -> None:
    """`ringhook schema > docs/routes.schema.json` makes it."""
    assert run("schema").stdout == (ROOT / "docs/routes.schema.json").read_text()


# map


def test_map_says_what_a_genuine_request_would_ring(run: Run, tmp_path: Path) -> None:
    event = sample_event(run, "shopify", "--secret", "s3cret", "--at", NOW.isoformat())
    secrets = tmp_path / "secrets.json"
    secrets.write_text('{"shop": ["new", "s3cret"]}')

    result = run(
        *("map", "-", "--routes", DEMO, "--secrets", str(secrets), "--at", NOW.isoformat()),
        "--json",
        stdin=event,
    )

    (row,) = json.loads(result.stdout)
    assert re.fullmatch("call_[0-9a-f]{32}", row.pop("call_id"))
    assert row == {
        "route": "confirm-cod-order",
        "decision": "ring",
        "at": NOW.isoformat(),
        "reason": row["reason"],
        "request": {
            "agent_id": 1042,
            "phone_number": "+14155550123",
            "metadata": {
                "customer_id": 7718203344905,
                "order_id": "#1048",
                "call_reason": "Confirm order #1048",
            },
        },
    }


def test_map_refuses_what_is_not_genuine_and_says_why(run: Run, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.json"
    secrets.write_text('{"shop": "another"}')
    event = sample_event(run, "shopify")

    result = run("map", "-", "--routes", DEMO, "--secrets", str(secrets), status=1, stdin=event)

    assert "the signature does not match" in result.stderr
    secrets.write_text("{}")
    result = run("map", "-", "--routes", DEMO, "--secrets", str(secrets), status=1, stdin=event)
    assert "'shop' has no signing secret" in result.stderr


def test_map_wants_secrets_or_to_be_told_to_do_without(run: Run) -> None:
    assert "--unsigned" in run("map", "-", status=2).stderr


def test_map_has_a_row_for_each_event_and_route(run: Run) -> None:
    event = sample_event(run, "hubspot", "batch")

    rows = json.loads(run("map", "-", "--routes", DEMO, "--unsigned", "--json", stdin=event).stdout)

    assert [(row["route"], row["decision"]) for row in rows] == [
        ("new-phone-in-crm", "ignored"),
        ("new-phone-in-crm", "ring"),
        ("new-phone-in-crm", "ring"),
        (None, "suppress"),
    ]
    assert rows[-1]["reason"].startswith("a contact asked to be erased")
    assert rows[0]["request"] is rows[-1]["request"] is None


@pytest.mark.parametrize(
    ("sender", "what"),
    [
        (("shopify", "customers/redact"), "what is known of the number is deleted"),
        (("shopify", "customers/data_request"), "what is known of the number is exported"),
        (("hubspot", "batch"), "no number is named, so an operator is alarmed"),
    ],
)
def test_map_says_what_becomes_of_a_person_who_asks(
    run: Run, sender: tuple[str, str], what: str
) -> None:
    event = sample_event(run, *sender)

    rows = json.loads(run("map", "-", "--routes", DEMO, "--unsigned", "--json", stdin=event).stdout)

    assert rows[-1]["reason"].endswith(f"; {what}")


@pytest.mark.parametrize(
    ("policy", "payload", "decision", "at"),
    [
        ('after = "30m"', {}, "defer", "2026-11-23T12:30:00Z"),
        ('expires_after = "1s"', {"at": "2026-11-22"}, "suppress", None),
        ('consent = "{{ agreed }}"', {"agreed": False}, "suppress", None),
        ("", {"phone": None}, "unmapped", None),
        ("", {"phone": "+33 1 99 00 12 34"}, "suppress", None),
        ('calling_hours = "09:00-10:00"', {}, "defer", "2026-11-23T17:00:00Z"),
    ],
)
def test_map_decides_as_the_dialer_does(
    run: Run, tmp_path: Path, policy: str, payload: dict[str, Any], decision: str, at: str | None
) -> None:
    hours = "" if "calling_hours" in policy else 'calling_hours = "any"'
    routes = routes_file(
        tmp_path,
        f"""countries = ["US"]
[sources.form]
provider = "bearer"
occurred_at = "{{{{ at }}}}"
[[routes]]
name = "call-back"
source = "form"
call = {{ agent_id = 7, phone_number = "{{{{ phone }}}}" }}
[routes.policy]
{policy}
{hours}""",
    )
    body = {"phone": "+14155550123", "at": NOW.isoformat()} | payload
    request = {"source": "form", "body": json.dumps(body)}

    result = run(
        *("map", "-", "--routes", routes, "--unsigned", "--json", "--at", str(NOW.timestamp())),
        stdin=json.dumps(request),
    )

    (row,) = json.loads(result.stdout)
    assert (row["decision"], row["at"]) == (decision, at and at.replace("Z", "+00:00"))


def test_map_says_of_an_event_without_its_rest_that_it_is_fetched(run: Run, tmp_path: Path) -> None:
    text = webhooks.DEMO_ROUTES.read_text().replace(
        'provider = "hubspot"', 'provider = "hubspot"\nenrich = "contact"'
    )
    event = sample_event(run, "hubspot", "contact.propertyChange")

    said = run(
        "map", "-", "--unsigned", "--routes", routes_file(tmp_path, text), stdin=event
    ).stdout

    assert "the dialer fetches the rest first" in said


def test_map_reads_a_body_in_base64_and_a_form(run: Run) -> None:
    form = base64.b64encode(b"phone=%28415%29+555-0176&name=Sofia").decode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    request = {"source": "form", "headers": headers, "body_b64": form}

    said = run("map", "-", "--routes", DEMO, "--unsigned", stdin=json.dumps(request)).stdout

    assert "form → call-me-back: ring" in said
    assert '"phone_number": "+14155550176"' in said


def mapped(run: Run, request: dict[str, Any]) -> list[dict[str, Any]]:
    """What `map` makes of a request to the demo's routes."""
    document = json.dumps(request)
    rows: list[dict[str, Any]] = json.loads(
        run("map", "-", "--routes", DEMO, "--unsigned", "--json", stdin=document).stdout
    )
    return rows


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_map_shows_the_answer_to_what_is_no_webhook(run: Run, method: str) -> None:
    event = json.loads(sample_event(run, "shopify"))
    event["requestContext"]["http"]["method"] = method

    (row,) = mapped(run, event)

    assert (row["decision"], row["status"], row["request"]) == ("answered", 405, None)


def test_map_shows_that_what_cannot_be_read_is_kept(run: Run) -> None:
    (row,) = mapped(run, {"source": "shop", "body": "{"})

    assert (row["decision"], row["route"]) == ("unmapped", None)
    assert "the body is not JSON" in row["reason"]
    assert re.fullmatch("call_[0-9a-f]{32}", row["call_id"])


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("{", "it is not JSON"),
        ("[]", "it is not a JSON object"),
        ('{"source": "UPPER"}', "source: write the name of a source"),
        ('{"source": "shop", "payload": {}}', "payload: there is no such field"),
        ('{"source": "shop", "body": {}}', "body: write the very text"),
        ('{"source": "shop", "body_b64": "é"}', "body_b64: it is not base64"),
        ('{"source": "shop", "headers": []}', "headers: write an object"),
        ('{"source": "shed", "body": "{}"}', "there is no source 'shed'; there are shop, crm"),
        ('{"requestContext": {}}', "the address ends in no source's name"),
        ('{"requestContext": {}, "pathParameters": {"source": "shop"}}', "payload format 2.0"),
        ('{"requestContext": {}, "pathParameters": 1}', "payload format 2.0"),
    ],
)
def test_map_names_what_it_cannot_read(run: Run, document: str, complaint: str) -> None:
    result = run("map", "-", "--routes", DEMO, "--unsigned", status=1, stdin=document)

    assert complaint in result.stderr


@pytest.mark.parametrize("words", [("--at", "tomorrow"), ("--at", "25:00")])
def test_a_time_that_is_none_is_bad_usage(run: Run, words: tuple[str, ...]) -> None:
    assert "ISO 8601" in run("map", "-", "--unsigned", *words, status=2).stderr


# event and send


def test_event_goes_to_the_source_that_the_routes_have_for_the_provider(
    run: Run, tmp_path: Path
) -> None:
    routes = routes_file(
        tmp_path, 'countries = ["US"]\nroutes = []\n[sources.boutique]\nprovider = "shopify"\n'
    )

    event = json.loads(run("event", "shopify", "--routes", routes).stdout)

    assert event["pathParameters"] == {"source": "boutique"}
    assert abs(event["requestContext"]["timeEpoch"] / 1000 - datetime.now(UTC).timestamp()) < 60


def test_event_queued_is_what_the_dialer_gets(run: Run) -> None:
    event = json.loads(sample_event(run, "shopify", "--queued"))

    (record,) = event["Records"]
    assert json.loads(record["body"])["call"]["phone_number"] == "+14155550123"


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        ((), 2, "hubspot"),
        (("shopfy",), 1, "there is no sample of 'shopfy'; there are"),
        (("shopify", "orders/eaten"), 1, "orders/create"),
        (("shopify", "--set", "phone"), 2, "path=value"),
        (("shopify", "--set", "shipping.phone=1"), 1, "no such field"),
        (("standard-webhooks", "--secret", "!"), 1, "not base64"),
    ],
)
def test_event_says_what_it_was_not_given(
    run: Run, words: tuple[str, ...], status: int, complaint: str
) -> None:
    assert complaint in run("event", *words, "--routes", DEMO, status=status).stderr


def test_send_signs_for_the_address_that_it_posts_to(run: Run, tmp_path: Path) -> None:
    """A sandbox is no receiver, but it remembers what it is sent."""
    secrets = tmp_path / "secrets.json"
    secrets.write_text('{"crm": "s3cret"}')
    with Sandbox() as there:
        result = run(
            *("send", "hubspot", "--url", f"{there.url}/hooks/", "--secrets", str(secrets)),
            *("--routes", DEMO, "--repeat", "2"),
            status=1,
        )
        first, second = there.requests()

    assert result.stdout.startswith("401 ")
    assert first["path"] == "/hooks/crm"
    assert first["body"] == second["body"]
    request = {
        "source": "crm",
        "url": f"{there.url}/hooks/crm",
        "headers": first["headers"],
        "body": json.dumps(first["body"], separators=(",", ":")),
    }
    mapped = run("map", "-", "--routes", DEMO, "--secrets", str(secrets), stdin=json.dumps(request))
    assert "new-phone-in-crm: ring" in mapped.stdout


def test_send_says_when_nobody_answers_and_when_it_has_no_secret(run: Run, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.json"
    secrets.write_text("{}")
    with Sandbox() as gone:
        url = gone.url
    words = ("send", "shopify", "--url", url, "--routes", DEMO)

    assert "does not answer" in run(*words, status=1).stderr
    assert "no secret of source 'shop'" in run(*words, "--secrets", str(secrets), status=1).stderr
    assert "no `ringhook up` is running" in run("send", "shopify", status=1).stderr


# settings


def test_samplerc_has_every_setting_with_the_default_that_it_has() -> None:
    kept = rc.read(ROOT / "samplerc")
    read_by_functions = set(re.findall(r'"([A-Z][A-Z_]+)"', Path(settings.__file__).read_text()))
    set_by_the_stack = set(
        re.findall(r"^ +([A-Z][A-Z_]+): ", (ROOT / "template.yaml").read_text(), re.MULTILINE)
    ) - {"AWS_PROXY"}

    assert read_by_functions | set_by_the_stack <= kept.keys()
    assert settings.read(kept) == settings.read({})


def test_env_makes_what_sam_local_reads(run: Run) -> None:
    Path(".ringhookrc").write_text("# pace\n\nRINGHOOK_CALLS_PER_MINUTE = 5\n".replace(" = ", "="))

    assert json.loads(run("env").stdout) == {"Parameters": {"RINGHOOK_CALLS_PER_MINUTE": "5"}}


def test_env_says_what_is_wrong_in_which_line(run: Run) -> None:
    assert "cp samplerc .ringhookrc" in run("env", status=1).stderr
    Path("rc").write_text("A=1\nexport B=2\n")
    assert "rc:2: write KEY=value" in run("env", "rc", status=1).stderr


def test_ringhookrc_is_read_under_what_the_environment_says(run: Run) -> None:
    """RINGHOOK_PUBLIC_URL is part of what a sample is signed for."""
    Path(".ringhookrc").write_text("RINGHOOK_PUBLIC_URL=https://hooks.example.com\n")
    environ = {"AWS_PROFILE": "mine"}
    rc.apply(environ)

    assert environ == {"AWS_PROFILE": "mine", "RINGHOOK_PUBLIC_URL": "https://hooks.example.com"}
    environ["RINGHOOK_PUBLIC_URL"] = "https://other.example.com"
    rc.apply(environ)
    assert environ["RINGHOOK_PUBLIC_URL"] == "https://other.example.com"


# a deployment


@dataclass
class Stack:
    """A deployment whose parts are moto's and whose API is a sandbox."""

    ledger: Ledger
    deployment: Deployment

    def secret(self, output: str) -> Any:
        return self.deployment.read_secret(output)


@pytest.fixture
def stack(aws: None, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Stack:
    from tests.conftest import create_table

    secrets = boto3.client("secretsmanager")
    found = Deployment(
        stack="prod",
        option=" --stack prod",
        outputs={
            "TableName": create_table(),
            "SigningSecretsArn": secrets.create_secret(Name=f"signing-{uuid.uuid4()}")["ARN"],
            "ApiTokensArn": secrets.create_secret(Name=f"tokens-{uuid.uuid4()}")["ARN"],
            "CredentialsArn": secrets.create_secret(Name=f"credentials-{uuid.uuid4()}")["ARN"],
            "WebhooksUrl": "https://hooks.example.com/hooks",
        },
        parameters={"UnleashxUrl": sandbox.url},
        local={},
    )
    monkeypatch.setattr(deployment, "find", lambda _name: found)
    monkeypatch.setattr(Deployment, "routes_text", lambda _: webhooks.DEMO_ROUTES.read_text())
    ledger = Ledger(boto3.client("dynamodb"), found.table_name, timedelta(days=90))
    return Stack(ledger, found)


def record(
    stack: Stack,
    call_id: str,
    said: tuple[Status, str],
    when: datetime,
    attempt: dict[str, Any] | None = None,
    outcomes: tuple[Outcome, ...] = (),
    **fields: Any,
) -> None:
    call = Call(
        call_id=call_id,
        source="shop",
        provider="shopify",
        route="confirm-cod-order",
        topic="orders/create",
        event_id="evt_1",
        occurred_at=NOW,
        received_at=NOW,
        agent_id=1042,
        metadata={"name": "Amara"},
        **{"phone_number": "+14155550123", **fields},
    )
    status, reason = said
    execution_id = "e-1" if attempt else ""
    item = Item(
        call=call, status=status, reason=reason, execution_id=execution_id, outcomes=outcomes
    )
    stack.ledger.write(item, over=None, now=when, attempt=attempt)


def test_calls_are_listed_newest_first_with_masked_numbers(run: Run, stack: Stack) -> None:
    today = datetime.now(UTC)
    record(stack, "call_1", ("initiated", "it rings"), today)
    later = today + timedelta(seconds=1)
    record(stack, "call_2", ("refused", "no"), later, phone_number="+14155550124")
    yesterday = today - timedelta(days=1)
    record(stack, "call_0", ("unmapped", "no number"), yesterday)

    lines = run("calls").stdout.splitlines()

    assert [line.split()[-1] for line in lines] == ["call_2", "call_1", "call_0"]
    assert "refused  confirm-cod-order  +1•••••0124" in lines[0]
    assert "555" not in "".join(lines)
    assert "call_1" in run("calls", "--phone", "+14155550123", "--status", "initiated").stdout
    assert run("calls", "--status", "deferred").stdout == "No such calls.\n"
    assert len(json.loads(run("calls", "--json", "--limit", "2").stdout)) == 2


def test_show_tells_the_story_and_reveals_only_when_asked(run: Run, stack: Stack) -> None:
    attempt = {"n": 1, "at": "2026-11-23T12:00:01+00:00", "milliseconds": 80, "answer": "Initiated"}
    record(stack, "call_1", ("initiated", "it rings"), NOW + timedelta(seconds=2), attempt)

    said = run("show", "call_1").stdout

    assert re.search(r"execution_id +e-1", said)
    assert said.index("the API was asked: n 1, milliseconds 80") < said.index("initiated: it rings")
    assert "+1•••••0123" in said
    assert "Amara" not in said
    assert "+14155550123" in (revealed := run("show", "call_1", "--reveal").stdout)
    assert "Amara" in revealed
    assert "metadata" not in json.loads(run("show", "call_1", "--json").stdout)
    assert "the ledger has no call call_9" in run("show", "call_9", status=1).stderr


def test_calls_and_show_tell_how_a_call_ended(run: Run, stack: Stack) -> None:
    record(
        stack,
        "call_1",
        ("ended", "the person answered, for 42 s"),
        datetime.now(UTC),
        outcomes=(
            Outcome(outcome="no_answer", final=True),
            Outcome(
                attempt=2,
                outcome="answered",
                final=True,
                duration_seconds=42.0,
                learnt_from="list",
                raw={"CALL_STATUS": "COMPLETED"},
            ),
        ),
    )
    assert "ended answered" in run("calls").stdout
    [told] = json.loads(run("calls", "--json").stdout)
    assert (told["outcome"], told["duration_seconds"]) == ("answered", 42)
    assert [one["outcome"] for one in told["outcomes"]] == ["no_answer", "answered"]
    said = run("show", "call_1").stdout
    for line in ("outcome +answered", "duration_seconds +42", "raw +.*COMPLETED"):
        assert re.search(line, said)


def test_a_token_is_verified_kept_beside_the_others_and_never_printed(
    run: Run, stack: Stack
) -> None:
    kept = run("token", "set", stdin=f"{server.TOKEN}\n")
    other = run("token", "set", "--account", "second", "--no-verify", stdin="later\n")

    assert stack.secret("ApiTokensArn") == {"default": server.TOKEN, "second": "later"}
    assert server.TOKEN not in kept.output
    assert "later" not in other.output.replace("not verified", "")


def test_a_token_that_the_api_does_not_know_changes_nothing(run: Run, stack: Stack) -> None:
    result = run("token", "set", stdin="wrong\n", status=1)

    assert "Invalid Auth Key or Session Expired" in result.stderr
    assert stack.secret("ApiTokensArn") == {}
    assert "nothing was given" in run("token", "set", stdin="\n", status=1).stderr


def test_a_signing_secret_replaces_the_old_one_or_stands_before_it(run: Run, stack: Stack) -> None:
    for value, words in (("one", ()), ("two", ("--keep-old",)), ("two", ("--keep-old",))):
        said = run("secret", "set", "shop", *words, stdin=value).output
        assert value not in said
    assert stack.secret("SigningSecretsArn") == {"shop": ["two", "one"]}
    run("secret", "set", "crm", stdin="three")
    run("secret", "set", "shop", stdin="four")
    assert stack.secret("SigningSecretsArn") == {"shop": "four", "crm": "three"}


def test_a_secret_that_is_not_json_is_not_shown_and_not_overwritten(run: Run, stack: Stack) -> None:
    arn = stack.deployment.outputs["ApiTokensArn"]
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="s3cret")

    result = run("token", "set", "--no-verify", stdin="new\n", status=1)

    assert "not a JSON object" in result.stderr
    assert "s3cret" not in result.output


def test_the_doctor_names_what_is_missing_and_the_command_that_mends_it(
    run: Run, stack: Stack
) -> None:
    said = run("doctor", status=1).stdout
    for cure in ("secret set shop", "secret set form", "token set --account default"):
        assert f"ringhook {cure} --stack prod" in said

    for name in ("shop", "crm", "form", "marketplace"):
        run("secret", "set", name, stdin="s3cret")
    run("secret", "set", "leads", stdin="not base64!")
    run("secret", "set", "shed", stdin="s3cret")
    run("token", "set", "--no-verify", stdin="wrong")
    said = run("doctor", status=1).stdout
    assert "✓ source shop at https://hooks.example.com/hooks/shop has its signing secret" in said
    assert "✗ source leads: the signing secret is not base64" in said
    assert "'shed', which is no source" in said
    assert "the token was not verified: Invalid Auth Key" in said


def test_the_doctor_asks_for_the_credentials_that_sources_enrich_with(
    run: Run, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = webhooks.DEMO_ROUTES.read_text()
    enriched = text.replace('provider = "hubspot"', 'provider = "hubspot"\nenrich = "contact"')
    monkeypatch.setattr(Deployment, "routes_text", lambda _: enriched)

    said = run("doctor", status=1).stdout
    assert "ringhook credential set crm --stack prod" in said
    assert "pat-123" not in run("credential", "set", "crm", stdin="pat-123\n").output
    assert stack.secret("CredentialsArn") == {"crm": "pat-123"}
    said = run("doctor", status=1).stdout
    assert "✓ the credential 'crm', which source crm enriches its events with, is kept" in said


def test_the_doctor_finds_agents_that_cannot_ring(
    run: Run, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(inactive_agents=(1043,)) as api:
        monkeypatch.setitem(stack.deployment.parameters, "UnleashxUrl", api.url)
        for name in ("shop", "crm", "form", "marketplace"):
            run("secret", "set", name, stdin="s3cret")
        run("secret", "set", "leads", stdin=library.find("standard-webhooks").secret)
        run("token", "set", stdin=server.TOKEN)

        said = run("doctor", status=1).stdout

    assert "✓ agent 1042 of route confirm-cod-order is active" in said
    assert "✗ agent 1043 of route new-phone-in-crm: Agent not found or not active" in said


def test_a_healthy_deployment_lacks_nothing(run: Run, stack: Stack) -> None:
    for name in ("shop", "crm", "form", "marketplace"):
        run("secret", "set", name, stdin="s3cret")
    run("secret", "set", "leads", stdin=library.find("standard-webhooks").secret)
    run("token", "set", stdin=server.TOKEN)

    assert "✗" not in run("doctor").stdout


def test_without_a_stack_or_an_up_the_commands_say_how_to_get_one(run: Run) -> None:
    assert "no `ringhook up` is running here" in run("calls", status=1).stderr


# help


def commands() -> Iterator[tuple[str, ...]]:
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for inner in getattr(command, "commands", [None]):
            yield (name, inner) if inner else (name,)


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_has_help_with_an_example(run: Run, words: tuple[str, ...]) -> None:
    said = " ".join(run(*words, "--help").stdout.split())

    assert f"ringhook {' '.join(words)}" in said.partition("Example: ringhook")[2] or (
        f"Example: ringhook {' '.join(words)}" in said
    )


@pytest.mark.parametrize("name", [*providers.SERVED_BY, "contact-form-7", "google-forms"])
def test_a_name_that_people_look_for_is_found_whoever_serves_it(run: Run, name: str) -> None:
    run("init", name, "--country", "US")
    run("check")
    sent = run("event", name).stdout

    assert run("recipes", name).stdout.count("\n") > 1
    assert run("providers", name).stdout
    verify = ("verify", "-", "--provider", name, "--secret", "another secret, long enough")
    run(*verify, status=1, stdin=sent)
