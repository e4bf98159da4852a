"""Days that the route file itself closes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from ringhook.deciding.geography import Place


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """Days on which the route file lets no phone of a country, or of a part of it, ring."""

    country: str
    part: str | None
    first: date
    last: date
    reason: str

    def covers(self, place: Place, day: date) -> bool:
        """Tell whether a place is closed; one whose part is not known may be in the closed part."""
        return (
            place.country == self.country
            and (self.part is None or place.part in {None, self.part})
            and self.first <= day <= self.last
        )
