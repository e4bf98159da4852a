"""Which question of a form asks who answers for their phone, and which answer may be a number.

The patterns are texts: only what a route uses is compiled, when it is first used.
"""

from __future__ import annotations

import re
import unicodedata

# "Phone", "mobile" or "WhatsApp" as forms say it in the larger languages, without accents. Short
# words count as whole words only: "tel" is part of "hotel", and "portable" a phone in French.
_PHONE = (
    r"phone|telefon|telefoon|whats ?app|mobile|movil|celular|cellular|telepon|puhelin"
    r"|mobil(?:nummer|telefon|funk\w*|ni)?\b|handynummer"
    r"|\b(?:tel|tele|telf|tlf|tlfn|cell|handy|gsm|portable|fono|fon|fone|komorka|no ?hp|nomor hp|wa"
    r"|sdt|dien thoai|cep|(?:contact|call ?back|best) (?:number|no)|number to (?:call|reach)"
    r"|numero de contacto|numero para contato)\b"
    r"|телефон|мобильн|τηλεφωνο|κινητο|電話|携帯|电话|手机|手機|전화|휴대폰|핸드폰|फोन|मोबाइल"
    r"|ফোন|মোবাইল|هاتف|جوال|موبايل|تلفن|טלפון|נייד|โทร|เบอร"
)
# The number of somebody else than who answers: to ring it would be to ring a stranger.
_ANOTHERS = (
    r"\b(?:emergency|referr\w*|referee|reference|friend|spouse|husband|wife|manager|supervisor"
    r"|employer|doctor|physician|landlord|agent|host|organi[sz]er|witness|next of kin|relative"
    r"|neighbou?r|lawyer|attorney|guarantor|co applicant|company|store|shop|venue|fax"
    r"|emergencia|urgences?|notfall|emergenza|empresa|entreprise|firma|arbeitgeber)s?\b"
)
_APART = r"(?<=[a-z0-9])(?=[A-Z])|[\s!-/:-@\[-`{-~¿¡\u2019]+"
# Digits with what stands between them, perhaps a label before them ("tel:", "p:").
_WRITTEN = r"(?:[^\W\d]{1,10}\s*[:.]\s*)?[+(]*\d[\d ().+/·•,;-]*"
_DASHES = r"[\u2010-\u2015\u2212]"
_FEWEST_DIGITS, _MOST_DIGITS = 6, 20


def asks_phone(text: str) -> bool:
    """Whether a question, or a field's name (`q5_phoneNumber`), asks who answers for their number.

    Not one that asks for the number of another: an emergency contact, a friend, a company.
    """
    return bool(re.search(_PHONE, _plain(text))) and not asks_another(text)


def asks_another(text: str) -> bool:
    """Whether a question is about somebody else than who answers."""
    return bool(re.search(_ANOTHERS, _plain(text)))


def may_be_phone(value: object) -> bool:
    """Whether a text may be a phone number: digits and the usual marks between them.

    It tells what is worth reading from "" and "at work"; `phone.read` is who judges it.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    text = unicodedata.normalize("NFKC", str(value))
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = re.sub(_DASHES, "-", text).strip(" \"'<>\n\t\r")
    digits = sum(char.isdecimal() for char in text)
    return _FEWEST_DIGITS <= digits <= _MOST_DIGITS and bool(re.fullmatch(_WRITTEN, text))


def has_digit(value: object) -> bool:
    """Whether a digit stands in it, so that it may be a number written strangely."""
    number = isinstance(value, str | int) and not isinstance(value, bool)
    return number and any(char.isdecimal() for char in str(value))


def _plain(text: str) -> str:
    """Words in small letters without accents, the parts of a field's name apart."""
    words = re.sub(_APART, " ", unicodedata.normalize("NFC", text)).casefold()
    letters = unicodedata.normalize("NFKD", words)
    bare = "".join(char for char in letters if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", bare).replace("đ", "d")
