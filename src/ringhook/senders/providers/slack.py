"""Slack: the Events API, slash commands and interactive messages of an app.

Source: docs.slack.dev, "Verifying requests from Slack" and "The Events API", and slack_sdk 3.47.0
(`slack_sdk.signature`). Slack waits 3 seconds and sends again up to three times: at once, after a
minute and after five. Not confirmed: that it stops sending to an app of which 95 of 100 deliveries
fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringhook.reading.bodies import read_json
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.request import Reply, read_payload
from ringhook.senders.signatures import Hmac

if TYPE_CHECKING:
    from ringhook.senders.request import Request


def _read(request: Request) -> Any:
    """The payload; of an interaction, which is JSON in the form's field `payload`, that JSON."""
    form = read_payload(request)
    if not isinstance(form, dict) or not isinstance(inside := form.get("payload"), str):
        return form
    return read_json(inside, "the form's field `payload`")


def _challenge(payload: Any) -> Reply | None:
    """Slack proves the address once, when it is entered: it wants its own word back."""
    if isinstance(payload, dict) and payload.get("type") == "url_verification":
        return Reply(200, {"challenge": payload.get("challenge")})
    return None


PROVIDER = Provider(
    title="Slack",
    schemes=(
        Hmac(
            header="x-slack-signature",
            prefix="v0=",
            signed="v0:{timestamp}:{body}",
            timestamp_header="x-slack-request-timestamp",
        ),
    ),
    read=_read,
    challenge=_challenge,
    # An event's own kind, a command like "/call", or an interaction like "block_actions".
    topic=first(body("event.type"), body("command"), body("type")),
    # X-Slack-Retry-Num counts the attempts in a header, which is no part of this.
    identity=(first(body("event_id"), body("trigger_id"), whole_payload),),
    occurred_at=first(body("event_time"), body("event.event_ts"), body("action_ts")),
    tenant=first(body("team_id"), body("team.id")),
    never={
        "app_uninstalled": "the workspace removed the app",
        "tokens_revoked": "the workspace took its permission back",
        "user_profile_deleted": "the person was deleted",
    },
    never_when={"event.user.deleted == `true`": "the person left the workspace"},
    # Slack shows the answer to a command to the person who typed it: they need not read ours.
    accepted=Reply(200, "", "text/plain"),
)
