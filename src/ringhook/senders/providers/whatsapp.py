"""WhatsApp Cloud API: messages to a business's number, and what became of its own.

Source: developers.facebook.com, WhatsApp Business Platform, "Webhooks" (messages, system messages,
user_preferences) and "Business-scoped user IDs". The secret is the app's, and the address is proven
as in Meta Lead Ads, by `verify_token`. A request may hold many messages: each is one event, with
`message`, the `contact` who wrote it, and `said`, their words or the button that they pressed.
Topics are `messages.` with the message's type, `statuses.` with the status, else the field's name.
A number has no plus: write `+{{ message.from }}`. Since 2026 a person may hide their number: `from`
is missing then, only `from_user_id` is there, and no call can be made. Statuses hold the number of
whom the business wrote to, and never ring; nor does who writes STOP or the like, or not to be
called. WhatsApp repeats and reorders what it sends. Not confirmed: that it tries for 7 days, the
place of `from_user_id`, and that 404 or 410 ends nothing.
"""

from __future__ import annotations

from typing import Any

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._wishes import against_calls
from ringhook.senders.providers.meta import SIGNATURE, MetaSource, adapt

_MESSAGES = (
    "audio button contacts document edit image interactive location order reaction request_welcome"
    " revoke sticker system text unknown unsupported video"
)
_STATUSES = "deleted delivered failed pending played read sent warning"
_FIELDS = (
    "account_alerts account_offboarded account_reconnected account_review_update"
    " account_settings_update account_update automatic_events business_capability_update"
    " business_status_update business_username_update calls flows group_lifecycle_update"
    " group_participants_update group_settings_update group_status_update history"
    " message_echoes message_template_components_update message_template_quality_update"
    " message_template_status_update messages messaging_handovers partner_solutions"
    " payment_configuration_update phone_number_name_update phone_number_quality_update security"
    " smb_app_state_sync smb_message_echoes standby template_category_update"
    " template_correct_category_detection tracking_events user_preferences"
)
_TOPICS = (
    *(f"messages.{kind}" for kind in _MESSAGES.split()),
    *(f"statuses.{status}" for status in _STATUSES.split()),
    *_FIELDS.split(),
)


def _items(payload: Any) -> list[Any]:
    """Every message, status or other change, each with what it is part of."""
    return [
        {**about, **part}
        for entry in _list(payload, "entry")
        for change in _list(entry, "changes")
        for about in [{"account": entry.get("id"), "field": change.get("field")}]
        for part in _parts(change.get("value"))
    ]


def _parts(value: Any) -> list[dict[str, Any]]:
    """What a change holds: messages and statuses, or else all that it says."""
    about = {"metadata": value.get("metadata")} if isinstance(value, dict) else {}
    contacts = _list(value, "contacts")
    parts = [
        {**about, "message": one, "contact": _contact(one, contacts), "said": _said(one)}
        for one in _list(value, "messages")
    ]
    parts += [{**about, "status": one} for one in _list(value, "statuses")]
    return parts or [{**about, "value": value}]


def _list(parent: Any, name: str) -> list[dict[str, Any]]:
    """The objects in a list of the parent's."""
    found = parent.get(name) if isinstance(parent, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _contact(message: dict[str, Any], contacts: list[dict[str, Any]]) -> dict[str, Any]:
    """Who wrote it: nobody else's name must stand beside a number."""
    for mine, theirs in (("from", "wa_id"), ("from_user_id", "user_id")):
        for contact in contacts:
            if message.get(mine) and message[mine] == contact.get(theirs):
                return contact
    return {}


def _said(message: dict[str, Any]) -> str:
    """The words, or the title of the button or of the list's row."""
    for *path, last in (
        ("text", "body"),
        ("button", "text"),
        ("interactive", "button_reply", "title"),
        ("interactive", "list_reply", "title"),
    ):
        place: Any = message
        for name in path:
            place = place.get(name) if isinstance(place, dict) else None
        if isinstance(place, dict) and isinstance(place.get(last), str):
            return str(place[last])
    return ""


def _topic(_request: object, payload: Any) -> str:
    for name, word in (("message", "type"), ("status", "status")):
        if part := payload.get(name):
            # A message of the business's own, sent from its phone, is no message to it.
            field = f"{name}s" if name == "message" else "statuses"
            whole = payload.get("field")
            return f"{field}.{part.get(word)}" if whole in (None, "messages") else str(whole)
    return str(payload.get("field") or "")


PROVIDER = Provider(
    title="WhatsApp",
    schemes=(SIGNATURE,),
    items=_items,
    topic=_topic,
    # A message's statuses differ by their topic.
    identity=(first(body("message.id"), body("status.id"), whole_payload),),
    occurred_at=first(
        body("message.timestamp"),
        body("status.timestamp"),
        body("value.user_preferences[0].timestamp"),
    ),
    tenant=first(body("metadata.phone_number_id"), body("account")),
    never={
        **{
            f"statuses.{status}": "it tells of a message of the business's own"
            for status in _STATUSES.split()
        },
        "messages.reaction": "a reaction to a message asks for nothing",
        "messages.system": "WhatsApp tells of a changed number",
        "messages.unsupported": "WhatsApp does not say what was written",
        "messages.unknown": "WhatsApp does not say what was written",
        "messages.revoke": "the person took a message back",
        "message_echoes": "the business wrote it",
        "smb_message_echoes": "the business wrote it",
        "history": "these are old messages",
        "standby": "another app answers this conversation",
        "user_preferences": "the person chose what they want to be sent",
    },
    never_when=against_calls("said"),
    topics=_TOPICS,
    accepted=200,
    settings=MetaSource,
    adapt=adapt,
)
