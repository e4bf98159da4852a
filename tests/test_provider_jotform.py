"""What is Jotform's alone: answers that are JSON in one of its form's fields."""

import pytest
from tests.builders import provider, request

from ringhook.errors import BadRequestError

KIND = {"Content-Type": "multipart/form-data; boundary=b0undary"}


def form(**fields: str) -> bytes:
    text = "".join(
        f'--b0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return f"{text}--b0undary--\r\n".encode()


def test_the_answers_are_read_as_the_json_that_they_are() -> None:
    sent = request(form(formID="1", rawRequest='{"q3_phone": {"full": "(415) 555-0123"}}'), KIND)

    assert provider("jotform").read(sent) == {
        "formID": "1",
        "rawRequest": {"q3_phone": {"full": "(415) 555-0123"}},
    }


def test_answers_that_are_no_json_are_called_unreadable() -> None:
    with pytest.raises(BadRequestError, match="not JSON"):
        provider("jotform").read(request(form(formID="1", rawRequest="{"), KIND))
