"""What is Jotform's alone: a multipart form whose answers are JSON in one of its fields."""

import pytest

from ringhook.errors import BadRequestError
from ringhook.providers import jotform

KIND = "multipart/form-data; boundary=b0undary"


def form(*parts: str) -> bytes:
    text = "".join(f"--b0undary\r\n{part}\r\n" for part in parts)
    return f"{text}--b0undary--\r\n".encode()


def field(name: str, value: str) -> str:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'


def test_fields_are_read_as_they_are_written() -> None:
    body = form(field("pretty", "Name:Zoë, Note:two\r\nlines  "), field("empty", ""))

    assert jotform.multipart(KIND, body) == {
        "pretty": "Name:Zoë, Note:two\r\nlines  ",
        "empty": "",
    }


def test_uploaded_files_are_left_out() -> None:
    upload = (
        'Content-Disposition: form-data; name="photo"; filename="a.png"\r\n'
        "Content-Type: image/png\r\n\r\n\x89PNG"
    )

    assert jotform.multipart(KIND, form(upload, field("formID", "1"))) == {"formID": "1"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"formID=1",
        form(field("formID", "1"))[:-8],
        form(field("formID", "1")).replace(b"b0undary", b"another"),
    ],
)
def test_what_is_no_whole_form_is_called_unreadable(body: bytes) -> None:
    with pytest.raises(BadRequestError, match="multipart form"):
        jotform.multipart(KIND, body)


def test_a_form_without_boundary_is_called_unreadable() -> None:
    with pytest.raises(BadRequestError):
        jotform.multipart("multipart/form-data", form(field("formID", "1")))


def test_text_that_is_not_utf_8_is_called_unreadable_by_its_name() -> None:
    body = form(field("formID", "1")).replace(b"1\r", b"\xff\r")

    with pytest.raises(BadRequestError, match="'formID' is not UTF-8"):
        jotform.multipart(KIND, body)
