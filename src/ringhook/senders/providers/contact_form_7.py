"""Contact Form 7, with the plugin "CF7 to Webhook".

Source: github.com/mariovalney/cf7-to-zapier. The form comes as JSON under its fields' names
(`your-phone`), check boxes as lists, or in a body of the owner's own. A header that is entered as
"Name: value" holds the secret. It waits 30 seconds and never sends again; an error mails the owner,
so an event that no call can be made of is answered with one. There is no id: the same content twice
is one event, unless the form sends one and `event_id` names it.
"""

from __future__ import annotations

from ringhook.senders.providers._tool import tool

PROVIDER = tool("Contact Form 7", "x-webhook-secret")
