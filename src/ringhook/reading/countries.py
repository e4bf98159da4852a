"""Countries as people and their programs write them, told as ISO 3166 alpha-2 codes.

`country_names.txt` holds a line a country: its code, then each of its spellings between bars, as
`plain` gives them. `python -m ringhook_ops.tables.countries` writes it and says where it is from.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from ringhook.reading.text import tidy

# Letters that Unicode does not take apart into a plain letter and a mark (the first has no dot).
_PLAIN = str.maketrans(
    {"\u0131": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe"}
)
# A flag is two of these: 🇺🇸 is U and S.
_FLAG = {0x1F1E6 + place: 65 + place for place in range(26)}
# Accents; the vowel points of Arabic and Hebrew; and what people leave out within a word.
_ACCENT = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670'\u2019\u02bb\u02bc`\u00b4.]")
_NO_LETTER = re.compile(r"[\x00-@\[-`{-\xbf\xd7\xf7\u2000-\u206f\u3000-\u3004\u30fb]+")
_CALLING_CODE = re.compile(r"\(?\+\d{1,4}(?:[ -]\d{3})?\)?")
_BETWEEN = re.compile(r"[()\[\],;:/|\u2013\u2014]| - |(?<=[A-Z]{2}) (?=\S{3})")
_DOTTED = {"us", "usa", "uk", "uae", "ksa", "prc"}
_LONGEST = 100


@lru_cache(maxsize=256)  # strangers write what they like: it is bounded
def code_of(text: str) -> str | None:
    """The country of a code (US, USA), a name in any country's language or a usual short form.

    Blind to case, accents and punctuation. Forms that name a country several times are read where
    all agree ("United States (US)", "🇩🇪 Germany (+49)"). None where no one country is meant.
    """
    written = unicodedata.normalize("NFKC", tidy(text[:_LONGEST], _LONGEST).translate(_FLAG))
    written = _CALLING_CODE.sub(" ", written)
    parts = [part for part in _BETWEEN.split(written) if plain(part)]
    # "Korea, Republic of" and "Iran (Islamic Republic of)" are turned round.
    turned = " ".join([*parts[1:], *parts[:1]])
    for whole in (written, turned):
        if found := _known(whole):
            return found
    named = {_known(part) for part in parts}
    return named.pop() if len(named) == 1 else None


def plain(text: str) -> str:
    """The letters alone, small and without accents; "the" says nothing. The table's maker uses it.

    Marks of scripts that write vowels with them (India's, Thailand's) stay.
    """
    apart = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN)
    words = _NO_LETTER.sub(" ", _ACCENT.sub("", apart)).split()
    return "".join(word for word in words if word != "the")


def _known(written: str) -> str | None:
    key = plain(written)
    # "N/A" and "n.a." are not Namibia: a code is written in one piece, but for well-known ones.
    if len(key) < 4 and key.isascii() and key not in _DOTTED and key != written.strip().lower():
        return None
    names = _names()
    at = names.find(f"|{key}|") if key else -1
    if at < 0:
        return None
    start = names.rfind("\n", 0, at) + 1
    return names[start : start + 2]


@cache
def _names() -> str:
    return Path(__file__).with_name("country_names.txt").read_text(encoding="utf-8")
