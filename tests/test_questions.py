"""Questions that ask who answers for their phone, and answers that may be one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringhook.reading.questions import asks_another, asks_phone, may_be_phone


@pytest.mark.parametrize(
    "question",
    [
        "Phone number",
        "q5_phoneNumber",
        "attendeePhoneNumber",
        "your-phone",
        "What's your mobile?",
        "Best number to reach you",
        "Contact no.",
        "WhatsApp no.",
        "Cell #",
        "Tel",
        "Handynummer",
        "Mobilfunknummer",
        "Numéro de téléphone",
        "Téléphone portable",
        "Teléfono móvil",
        "Celular",
        "Telefone para contato",
        "Cellulare",
        "Telefoonnummer",
        "Puhelinnumero",
        "Numer telefonu",
        "Cep telefonu",
        "Номер телефона",
        "Τηλέφωνο",
        "電話番号",
        "手机号码",
        "전화번호",
        "फ़ोन नंबर",
        "मोबाइल नंबर",
        "رقم الجوال",
        "מספר טלפון",
        "เบอร์โทรศัพท์",
        "Số điện thoại",
        "Nomor HP",
        "Business phone",
    ],
)
def test_a_question_for_the_phone_is_known_in_many_languages(question: str) -> None:
    assert asks_phone(question)


@pytest.mark.parametrize(
    "question",
    ["", "Email", "Hotel", "Which cellar?", "Name", "Subtotal", "Telling us more", "自己紹介"],
)
def test_another_question_is_not_one(question: str) -> None:
    assert not asks_phone(question)


@pytest.mark.parametrize(
    "question",
    [
        "Emergency contact phone",
        "emergencyContactPhone",
        "Friend's phone",
        "Phone of a referee",
        "Referral phone",
        "Company phone",
        "Fax / phone",
        "Host phone",
        "agent_phone",
        "Teléfono de emergencia",
        "Notfall-Telefon",
        "Doctor's mobile",
    ],
)
def test_the_phone_of_somebody_else_is_never_asked_for(question: str) -> None:
    assert asks_another(question)
    assert not asks_phone(question)


@pytest.mark.parametrize(
    "answer",
    [
        "+1 415-555-0123",
        "(098) 142-5555",
        "\u202a+1 415 555 0123\u202c",
        "\uff0b1 415 555 0123",
        "tel:+14155550123",
        "p:+14155550123",
        "Tel. 030 12 34 56",
        "415.555.0123",
        "\u00a0(+91) 98765 43210",
        "415\u2013555\u20130123",
        "٠٢٠ ٧٩٤٦ ٠١٢٣",
        4155550123,
    ],
)
def test_what_may_be_a_number_is_worth_reading(answer: object) -> None:
    assert may_be_phone(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        " ",
        "at work",
        "415 Park Ave",
        "555-555-SHIP",
        "+49 30 901820 Tom",
        "12345",
        True,
        1.5,
        None,
        ["+14155550123"],
        {"full": "+14155550123"},
        "yes 4155550123",
        "1" * 21,
    ],
)
def test_what_is_none_is_passed_over(answer: object) -> None:
    assert not may_be_phone(answer)


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    assert asks_phone(text) in (True, False)
    assert may_be_phone(text) in (True, False)
