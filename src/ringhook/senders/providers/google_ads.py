"""Google Ads: leads of lead form assets (Search, YouTube, Discovery, Performance Max).

Source: developers.google.com/google-ads/webhook, "Implementation" and "FAQ". Google signs nothing:
each lead repeats in its body, as `google_key`, the key that was typed beside the webhook's address.
It is the secret, so a key of fewer than 16 characters ("123", as the FAQ suggests where a CRM gives
none) is refused. A lead is `user_column_data`, a list of `column_id` and `string_value`:
`user_column_data[?column_id=='PHONE_NUMBER'].string_value | [0]`; questions of one's own have ids
of their own. `lead_id` is the same whenever a lead is sent. The button "Send test data" sends a
whole lead with `is_test`, which rings nobody. Not confirmed: how often Google sends again after an
error; a lead that failed stays 30 days in its account, as CSV.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._body_token import BodyToken
from ringhook.senders.request import Reply

PROVIDER = Provider(
    title="Google Ads lead forms",
    schemes=(BodyToken("google_key", least=16),),
    hides=("google_key",),
    has_topics=False,
    identity=(first(body("lead_id"), whole_payload),),
    occurred_at=body("lead_submit_time"),
    test=body("is_test"),
    never_when={"is_test && to_string(is_test) != 'false'": "Google tries the address with a lead"},
    accepted=Reply(200, {}),
)
