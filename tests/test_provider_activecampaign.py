"""What is ActiveCampaign's alone: forms whose names have brackets, and a secret in the address."""

import base64

import pytest
from tests.builders import NOW, provider, request

from ringhook.errors import RejectedError
from ringhook.senders import signatures


def test_a_body_of_json_is_taken_as_it_is() -> None:
    sent = request(b'{"type": "subscribe", "contact": {"phone": "+14155550184"}}')

    assert provider("activecampaign").read(sent)["contact"]["phone"] == "+14155550184"


def test_the_secret_stands_in_the_address_as_a_token_or_as_a_user() -> None:
    schemes = provider("activecampaign").schemes
    address = "https://hooks.example.com/hooks/crm"
    user = "Basic " + base64.b64encode(b"hook:s3cret").decode()

    signatures.verify(schemes, request(url=f"{address}?token=s3%2Bcret"), ["s3+cret"], NOW)
    signatures.verify(schemes, request(headers={"authorization": user}), ["hook:s3cret"], NOW)
    for query in ("", "?token=", "?token=S3cret", "?Token=s3cret", "?token=x&token=s3cret"):
        with pytest.raises(RejectedError):
            signatures.verify(schemes, request(url=address + query), ["s3cret"], NOW)
