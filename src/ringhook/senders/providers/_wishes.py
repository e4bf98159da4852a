"""What senders of messages share: the words by which a person wants no more, or no calls.

These are our own choice: no sender lists them for all languages.
"""

from __future__ import annotations

# What a person sends who wants no more, as the whole of a message.
_STOP = (
    '["STOP","STOP ALL","STOPALL","UNSUBSCRIBE","CANCEL","END","QUIT","REVOKE","OPTOUT","OPT OUT",'
    '"STOP PROMOTIONS","PARAR","BAJA","ARRET","BERHENTI","बंद","बंद करो","रोकें","توقف","إيقاف",'
    '"ايقاف","إلغاء","الغاء"]'
)
# What makes any message one that asks for no call.
_NO_CALLS = (
    "DONT CALL,DONT RING,DONT PHONE,NOT CALL,NOT RING,NOT PHONE,NOT CONTACT,NEVER CALL,NEVER RING,"
    "NEVER PHONE,STOP CALL,STOP RING,STOP PHON,NO CALL,NO PHONE CALL,WITHOUT CALL,REMOVE ME"
)


def against_calls(place: str) -> dict[str, str]:
    """Why who says this must not be rung, by JMESPath; `place` is where their words stand."""
    text = f"to_string(not_null({place}, ''))"
    # Without apostrophes, which phones write in two ways.
    said = f"upper(trim(replace(replace({text}, '\u2019', ''), '\\'', '')))"
    parts = (f"contains({said}, '{words}')" for words in _NO_CALLS.split(","))
    return {
        f"contains(`{_STOP}`, {said})": "the person asked to stop",
        " || ".join(parts): "the person asked not to be called",
    }
