"""Addresses as people and shops write them: which part of the country is meant."""

import pytest

from ringhook.deciding.addresses import Address, read


def parts(country: str | None, province: str = "", postal_code: str = "") -> set[str]:
    """Read an address, beyond doubt, to the parts of its places."""
    reading = read(Address(country, province, postal_code), ("US",))
    assert reading.doubts == ()
    return {f"{place.country}-{place.part}" for place in reading.places}


def zones(country: str, postal_code: str, province: str = "") -> set[str]:
    reading = read(Address(country, province, postal_code), ("US",))
    assert reading.doubts == ()
    return {place.zone for place in reading.places}


@pytest.mark.parametrize(
    ("province", "part"),
    [
        ("CA", "CA"),
        ("ca", "CA"),
        ("Calif.", "CA"),
        ("California", "CA"),
        ("California (CA)", "CA"),
        ("California, USA", "CA"),
        ("Hawaiʻi", "HI"),
        ("Hawai'i", "HI"),
        ("Hawai’i", "HI"),
        ("HAWAII", "HI"),
        ("Washington DC", "DC"),
        ("Washington, D.C.", "DC"),
        ("D.C.", "DC"),
        ("District of Columbia", "DC"),
        ("Washington", "WA"),
        ("Wash.", "WA"),
        ("N.Y.", "NY"),
        ("N. Y.", "NY"),
        ("New York", "NY"),
        ("New  York", "NY"),
        ("Mass.", "MA"),
        ("Penna.", "PA"),
        ("N. Dak.", "ND"),
        ("N.D.", "ND"),
        ("N. Carolina", "NC"),
        ("W.Va.", "WV"),
        ("West Virginia", "WV"),
        ("Ariz.", "AZ"),
        ("Tenn.", "TN"),
        ("Tex.", "TX"),
        ("US-TX", "TX"),
        ("US_TX", "TX"),
        ("TX, USA", "TX"),
        ("TX USA", "TX"),
        ("TX 78701", "TX"),
        ("Austin, TX", "TX"),
        ("Austin, TX 78701", "TX"),
        ("Texas, United States", "TX"),
        ("State of Texas", "TX"),
        ("Texas State", "TX"),
        ("Puerto Rico", "PR"),
        ("Guam", "GU"),
    ],
)
def test_states_of_the_us(province: str, part: str) -> None:
    assert parts("US", province) == {f"US-{part}"}
    assert parts(None, province) == {f"US-{part}"}


@pytest.mark.parametrize(
    ("country", "province", "part"),
    [
        ("CA", "Québec", "QC"),
        ("CA", "Quebec", "QC"),
        ("CA", "P.Q.", "QC"),
        ("CA", "Colombie-Britannique", "BC"),
        ("CA", "B.C.", "BC"),
        ("CA", "Nouvelle-Écosse", "NS"),
        ("CA", "Île-du-Prince-Édouard", "PE"),
        ("CA", "P.E.I.", "PE"),
        ("CA", "Terre-Neuve-et-Labrador", "NL"),
        ("CA", "Newfoundland", "NL"),
        ("CA", "Ont.", "ON"),
        ("CA", "CA-ON", "ON"),
        ("CA", "Yukon Territory", "YT"),
        ("CA", "N.W.T.", "NT"),
        ("AU", "N.S.W.", "NSW"),
        ("AU", "New South Wales", "NSW"),
        ("AU", "Qld", "QLD"),
        ("AU", "W.A.", "WA"),
        ("AU", "Vic.", "VIC"),
        ("AU", "AU-VIC", "VIC"),
        ("BR", "São Paulo", "SP"),
        ("BR", "SP", "SP"),
        ("BR", "Amazonas", "AM"),
        ("MX", "Baja California", "BCN"),
        ("MX", "Ciudad de México", "CMX"),
        ("MX", "Q. Roo", "ROO"),
        ("ES", "Las Palmas", "GC"),
        ("RU", "Kaliningrad Oblast", "KGD"),
        ("RU", "Sverdlovsk", "SVE"),
        ("DE", "Bayern", "BY"),
        ("DE", "BY", "BY"),
    ],
)
def test_parts_of_other_countries(country: str, province: str, part: str) -> None:
    assert parts(country, province) == {f"{country}-{part}"}


def test_two_states_in_one_field_both_count() -> None:
    assert parts("US", "New York / New Jersey") == {"US-NY", "US-NJ"}


@pytest.mark.parametrize(
    ("country", "postal_code", "expected"),
    [
        ("US", "79901", {"America/Denver"}),  # El Paso
        ("US", "78701", {"America/Chicago"}),  # Austin
        ("US", "32501", {"America/Chicago"}),  # Pensacola
        ("US", "33101", {"America/New_York"}),  # Miami
        ("US", "57701", {"America/Denver"}),  # Rapid City
        ("US", "57101", {"America/Chicago"}),  # Sioux Falls
        ("US", "69361", {"America/Denver"}),  # Scottsbluff
        ("US", "83814", {"America/Los_Angeles"}),  # Coeur d'Alene
        ("US", "46401", {"America/Chicago"}),  # Gary
        ("US", "47708", {"America/Chicago"}),  # Evansville
        ("US", "42701", {"America/New_York"}),  # Elizabethtown
        ("US", "37405", {"America/New_York", "America/Chicago"}),  # the list is unsure
        ("US", "97914", {"America/Denver"}),  # Ontario, Oregon
        ("US", "85001", {"America/Phoenix"}),
        ("US", "86503", {"America/Phoenix", "America/Denver"}),  # Chinle, Navajo Nation
        ("US", "2134", {"America/New_York"}),  # Boston, without its zero
        ("US", "02134-1234", {"America/New_York"}),
        ("US", "501", {"America/New_York"}),
        ("US", "00901", {"America/Puerto_Rico"}),
        ("US", "96813", {"Pacific/Honolulu"}),
        ("CA", "V5K 0A1", {"America/Vancouver"}),
        ("CA", "v5k0a1", {"America/Vancouver"}),
        ("CA", "V1C 4H4", {"America/Vancouver", "America/Edmonton"}),  # Cranbrook
        ("CA", "M4B 1B3", {"America/Toronto"}),
        ("CA", "P9N 1A1", {"America/Toronto", "America/Atikokan"}),  # Kenora
        ("CA", "H2X", {"America/Toronto"}),
        ("AU", "2000", {"Australia/Sydney"}),
        ("AU", "2880", {"Australia/Adelaide"}),  # Broken Hill
        ("AU", "0800", {"Australia/Darwin"}),
        ("AU", "800", {"Australia/Darwin"}),
        ("AU", "6798", {"Indian/Christmas"}),
        ("AU", "6799", {"Indian/Cocos"}),
        ("ES", "35001", {"Atlantic/Canary"}),
        ("ES", "28001", {"Europe/Madrid"}),
        ("ES", "8001", {"Europe/Madrid"}),
        ("PT", "9500-123", {"Atlantic/Azores"}),
        ("PT", "1000-001", {"Europe/Lisbon"}),
        ("FR", "97400", {"Indian/Reunion"}),
        ("FR", "97110", {"America/Guadeloupe"}),
        ("FR", "75001", {"Europe/Paris"}),
        ("RU", "690000", {"Asia/Vladivostok"}),
        ("RU", "101000", {"Europe/Moscow"}),
        ("BR", "69900-000", {"America/Rio_Branco"}),
        ("BR", "01310-100", {"America/Sao_Paulo"}),
        ("BR", "1310100", {"America/Sao_Paulo"}),
        ("MX", "22000", {"America/Tijuana"}),
        ("MX", "06000", {"America/Mexico_City"}),
        ("IN", "400001", {"Asia/Kolkata"}),
        ("GB", "SW1A 1AA", {"Europe/London"}),
    ],
)
def test_a_postal_code_tells_the_clock_where_it_is_certain(
    country: str, postal_code: str, expected: set[str]
) -> None:
    assert zones(country, postal_code) == expected


def test_a_zip_code_narrows_its_state() -> None:
    assert zones("US", "79901", "TX") == {"America/Denver"}
    assert zones("US", "57701", "South Dakota") == {"America/Denver"}
    assert zones("US", "", "TX") == {"America/Chicago", "America/Denver"}


def test_a_french_overseas_place_has_its_own_law() -> None:
    assert parts("France", "", "97400") == {"RE-None"}
