"""A country is told by whatever people and their programs call it, and by nothing else."""

from __future__ import annotations

import re
from importlib.resources import files

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringhook.reading.countries import code_of
from ringhook_ops.tables import countries


@pytest.mark.parametrize(
    ("code", "spellings"),
    [
        ("US", "US|us |USA|U.S.|U.S.A.|u s a|ＵＳ|🇺🇸|United States|UNITED_STATES|united-states"),
        (
            "US",
            "United States of America (the)|United States (US)|🇺🇸 United States|US - United States",
        ),
        ("US", "America|Estados Unidos|Vereinigte Staaten|États-Unis|Etats-Unis|+1 US|USA (+1)"),
        ("GB", "UK|U.K.|GBR|England|Scotland|Wales|Northern Ireland|Great Britain (UK)"),
        ("DE", "Deutschland|DEU|Germany|ALLEMAGNE|Alemania|Bundesrepublik Deutschland"),
        ("NL", "Holland|The Netherlands|Netherlands (the)|Netherlands, The|Nederland"),
        ("AE", "UAE|U.A.E.|United Arab Emirates (the)|الإمارات العربية المتحدة"),
        ("SA", "KSA|Saudi Arabia|المملكة العربية السعودية"),
        ("IN", "India|IND|भारत|INDIA (+91)|+91 India|IN (+91)|🇮🇳 +91"),
        ("TR", "Türkiye|TÜRKİYE|Turkiye|Turkey|TUR"),
        ("VN", "Viet Nam|Vietnam|Việt Nam"),
        ("CI", "Côte d'Ivoire|Côte d’Ivoire|COTE D'IVOIRE|Cote d Ivoire|Ivory Coast"),
        ("HK", "Hong Kong|Hong Kong SAR|Hong Kong SAR China|Hong Kong (China)"),
        ("KR", "Korea, Republic of|Korea (the Republic of)|Republic of Korea|South Korea|대한민국"),
        ("IR", "Iran, Islamic Republic of|Iran (Islamic Republic of)|Iran"),
        ("RU", "Russia|Russian Federation|Россия|RUS"),
        ("CD", "DR Congo|DRC|Congo, The Democratic Republic of the|Congo - Kinshasa"),
        ("AT", "Österreich|Oesterreich|Austria"),
        ("TH", "Thailand|ไทย|ประเทศไทย"),
        ("XK", "Kosovo|XK|XKX|Kosova"),
        ("GE", "Georgia|საქართველო"),
        ("JE", "Jersey"),
        ("NE", "Niger"),
        ("NG", "Nigeria"),
    ],
)
def test_a_country_is_known_by_its_codes_names_and_short_forms(code: str, spellings: str) -> None:
    assert {spelling: code_of(spelling) for spelling in spellings.split("|")} == dict.fromkeys(
        spellings.split("|"), code
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "?", "null", "None", "unknown", "N/A", "n.a.", "n a", "-", "1", "840", "+1"),
        # A state of that name, or a part of one, is no country.
        *("New Jersey", "California", "Georgia, USA", "Georgia (US)", "New Mexico"),
        # Two countries, or one of two.
        *("US or CA", "USA/Canada", "US-CA", "Congo", "Virgin Islands", "Saint Martin"),
        *("Paris, France", "Frankreichh", "United", "Republic", "the", "x" * 500),
    ],
)
def test_what_means_no_one_country_is_none(text: str) -> None:
    assert code_of(text) is None


def test_the_table_is_what_its_maker_makes() -> None:
    """When this fails, run `python -m ringhook_ops.tables.countries`."""
    table = files("ringhook.reading").joinpath("country_names.txt").read_text(encoding="utf-8")
    assert table == countries.render()


def test_no_spelling_means_two_countries_and_every_country_with_phones_has_one() -> None:
    table = files("ringhook.reading").joinpath("country_names.txt").read_text(encoding="utf-8")
    lines = table.splitlines()[1:]
    spellings = [spelling for line in lines for spelling in line.split("|")[1:-1]]
    assert len(spellings) == len(set(spellings))
    assert {line[:2] for line in lines} >= set(phonenumbers.SUPPORTED_REGIONS)


@given(st.text(max_size=40))
def test_any_text_is_a_country_or_none(text: str) -> None:
    code = code_of(text)
    assert code is None or re.fullmatch("[A-Z]{2}", code)
