"""Webflow: the webhooks of a site, above all its forms.

Source: developers.webflow.com, "Working with webhooks" and "Verifying requests". Webhooks that an
app with OAuth or the API makes are signed, over the time in milliseconds, a colon and the body,
with the app's client secret or the webhook's own. Those that were made on a site's dashboard may
carry no signature: give such a one an address with the secret in it. A form is `payload.data`,
under its fields' labels; `payload.id` is the submission's. Not confirmed: whether a time is signed
anew when it sends again, ten minutes apart, so an hour is allowed.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._url_token import UrlToken
from ringhook.senders.signatures import Hmac

PROVIDER = Provider(
    title="Webflow",
    schemes=(
        Hmac(
            header="x-webflow-signature",
            signed="{timestamp}:{body}",
            timestamp_header="x-webflow-timestamp",
            timestamp_unit="ms",
            tolerance=3600,
        ),
        UrlToken(),
    ),
    topic=body("triggerType"),
    identity=(first(body("triggerType == 'form_submission' && payload.id"), whole_payload),),
    occurred_at=first(body("payload.submittedAt"), body("payload.createdOn")),
    topics=(
        "collection_item_changed",
        "collection_item_created",
        "collection_item_deleted",
        "collection_item_published",
        "collection_item_unpublished",
        "comment_created",
        "ecomm_inventory_changed",
        "ecomm_new_order",
        "ecomm_order_changed",
        "form_submission",
        "page_created",
        "page_deleted",
        "page_metadata_updated",
        "site_publish",
    ),
    accepted=200,
)
