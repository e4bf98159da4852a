"""Gather the names of countries that forms and CRMs may hold, and write them beside the package.

Sources: Unicode's CLDR (through Babel) and the ISO 3166 table of the iso-codes project (through
pycountry, with its translations), in every language that is official somewhere. A name that means
two countries is left out. Run it after an upgrade of either:

    python -m ringhook_ops.tables.countries
"""

from __future__ import annotations

import gettext
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import pycountry
from babel import Locale, UnknownLocaleError
from babel.core import get_global

from ringhook.reading.countries import plain

TARGET = Path(__file__).parents[3] / "src" / "ringhook" / "reading" / "country_names.txt"

# CLDR and libphonenumber know these, ISO 3166 does not (Kosovo; Ascension and Tristan da Cunha,
# which have calling codes of their own).
_BESIDE_ISO = {"XK": "XKX", "AC": "ASC", "TA": "TAA"}

# What people write and no list has: short forms, parts of the United Kingdom, names of before.
_SPOKEN = {
    "AE": ("UAE", "Emirates"),
    "BA": ("Bosnia",),
    "CD": ("DRC", "DR Congo", "Congo (DRC)", "Congo-Kinshasa"),
    "CG": ("Congo-Brazzaville", "Republic of the Congo"),
    "CI": ("Ivory Coast", "Cote d Ivoire"),
    "CN": ("PRC", "PR China", "Mainland China"),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "DO": ("Dominican Rep.",),
    "FK": ("Falklands",),
    "FM": ("Micronesia",),
    "GB": ("UK", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "GR": ("EL",),  # the European Union's own code
    "HK": ("Hong Kong SAR", "Hong Kong (China)", "Hongkong"),
    "IE": ("Republic of Ireland", "Eire"),
    "KN": ("St Kitts",),
    "KR": ("Korea", "ROK", "Korea (South)"),  # nobody outside can ring the northern one
    "LA": ("Lao PDR",),
    "MK": ("Macedonia", "FYROM", "Republic of North Macedonia"),
    "MM": ("Burma",),
    "MO": ("Macao SAR", "Macau SAR", "Macau", "Macao"),
    "NL": ("Holland",),
    "PS": ("Palestine",),
    "RU": ("Russia",),
    "SA": ("KSA", "Saudi"),
    "SZ": ("Swaziland",),
    "TH": ("ประเทศไทย",),
    "TL": ("East Timor",),
    "TR": ("Turkey", "Türkiye"),
    "TW": ("Taiwan ROC",),
    "US": (
        *("America", "U.S. of A.", "Vereinigte Staaten von Amerika", "États-Unis d'Amérique"),
        *("Estados Unidos de América", "Stati Uniti d'America", "Verenigde Staten van Amerika"),
    ),
    "VA": ("Vatican", "Holy See"),
    "VG": ("BVI", "Virgin Islands, British"),
    "VI": ("USVI", "US Virgin Islands", "Virgin Islands, U.S."),
    "VN": ("Viet Nam",),
    "XK": ("RKS", "Kosova"),
}

# Said of two countries, though the lists give one: a person may mean the other.
_AMBIGUOUS = ("Congo", "Virgin Islands", "Saint Martin", "St Martin", "Samoa Islands")


def country_names() -> dict[str, list[str]]:
    """Give each country's spellings: {"US": ["us", "usa", "unitedstates", …]}; no two share one."""
    codes = {one.alpha_2: one.alpha_3 for one in pycountry.countries} | _BESIDE_ISO
    found: dict[str, dict[str, None]] = {
        code: {code.lower(): None, longer.lower(): None} for code, longer in codes.items()
    }
    taken = {spelling for spellings in found.values() for spelling in spellings}
    taken |= {plain(name) for name in _AMBIGUOUS}
    # What is said first wins: what people write over English, English over other languages.
    for names in (_SPOKEN, _english(codes), _elsewhere(codes)):
        meant: dict[str, set[str]] = defaultdict(set)
        for code, spoken in names.items():
            for name in spoken:
                for spelling in _spellings(name):
                    meant[spelling].add(code)
        for spelling, by in sorted(meant.items()):
            # Two letters are a code or nothing, but in scripts where they are words.
            short = len(spelling) < 3 and spelling.isascii() and names is not _SPOKEN
            if len(by) == 1 and spelling not in taken and spelling and not short:
                found[by.pop()][spelling] = None
        taken |= meant.keys()
    return {code: list(spellings) for code, spellings in sorted(found.items())}


def _english(codes: dict[str, str]) -> dict[str, set[str]]:
    names: dict[str, set[str]] = defaultdict(set)
    for code in codes:
        names[code].add(Locale("en").territories[code])
    for one in pycountry.countries:
        names[one.alpha_2] |= set(_of_iso(one))
    return names


def _of_iso(country: object) -> list[str]:
    fields = ("name", "official_name", "common_name")
    return [name for field in fields if (name := getattr(country, field, None))]


def _elsewhere(codes: dict[str, str]) -> dict[str, set[str]]:
    """Name every country in the languages of nations, and each in those of its own regions too.

    Official names ("Bundesrepublik Deutschland") are taken in a country's own languages alone:
    the translations of others have slips (a Slovak Gambia is "Slovenská republika").
    """
    names: dict[str, set[str]] = defaultdict(set)
    own = {
        code: _languages(code, "official", "de_facto_official", "official_regional")
        for code in codes
    }
    national = set().union(*(_languages(code, "official", "de_facto_official") for code in codes))
    for language in sorted(set().union(national, *own.values()) - {"en"}):
        spoken = _cldr(language)
        official = gettext.translation(
            "iso3166-1", pycountry.LOCALES_DIR, [language], fallback=True
        )
        for code in spoken.keys() & codes.keys():
            if language in national or language in own[code]:
                names[code].add(spoken[code])
                if language == "de":
                    names[code].add(_without_dots(spoken[code]))
        for one in pycountry.countries:
            if language in own[one.alpha_2]:
                names[one.alpha_2] |= {official.gettext(name) for name in _of_iso(one)}
    return names


def _languages(code: str, *standing: str) -> set[str]:
    """Name the languages that have such a standing in a country."""
    spoken = get_global("territory_languages").get(code, {})
    return {name for name, said in spoken.items() if said["official_status"] in standing}


def _cldr(language: str) -> dict[str, str]:
    try:
        return dict(Locale.parse(language).territories)
    except UnknownLocaleError:
        return {}


def _without_dots(german: str) -> str:
    return german.translate(
        {ord(a): b for a, b in zip("äöüÄÖÜ", ("ae", "oe", "ue") * 2, strict=True)}
    )


def _spellings(name: str) -> set[str]:
    """Give what `plain` makes of a name, with the words and the order that people change."""
    forms = {name, name.replace("&", "and")}
    if "," in name:
        forms.add(" ".join(reversed(name.split(","))))
    for form in tuple(forms):
        for short, long in (("St. ", "Saint "), ("Saint ", "St. ")):
            if form.startswith(short):
                forms.add(long + form.removeprefix(short))
    return {plain(form) for form in forms}


def render() -> str:
    """Give the file's text: one line a country, so that a change is read as what it changes."""
    source = (
        f"Babel {version('Babel')} (Unicode CLDR), pycountry {version('pycountry')} (iso-codes)"
    )
    lines = [f"{code}|{'|'.join(names)}|" for code, names in country_names().items()]
    return "\n".join([f"# {source}", *lines, ""])


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
