"""What was measured, as tables: in Markdown for people, in JSON for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Cell = str | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: `note` says in whole sentences how its figures came about."""

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A figure that has a target: `measured` is to be at most `target`, in `unit`."""

    what: str
    measured: float
    target: float
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one part of the bench gives."""

    tables: Sequence[Table]
    ratios: Sequence[Ratio] = ()


def targets(ratios: Sequence[Ratio]) -> Table:
    """The figures that have a target, with it."""
    return Table(
        title="Targets",
        note="",
        columns=("what", "measured", "at most", ""),
        rows=[
            (
                ratio.what,
                _with_unit(ratio.measured, ratio.unit),
                _with_unit(ratio.target, ratio.unit),
                "met" if ratio.measured <= ratio.target else "not met",
            )
            for ratio in ratios
        ],
    )


def machine(facts: Mapping[str, str]) -> Table:
    """What the figures were measured on."""
    return Table(title="Machine", note="", columns=("", ""), rows=list(facts.items()))


def markdown(table: Table) -> str:
    """The table under its title, as Markdown."""
    lines = [f"## {table.title}", ""]
    if table.note:
        lines += [table.note, ""]
    lines += [_row(table.columns), _row(["---", *["---:"] * (len(table.columns) - 1)])]
    lines += [_row([_text(cell) for cell in row]) for row in table.rows]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(cell: Cell) -> str:
    """A figure with three digits that say something."""
    if isinstance(cell, str):
        return cell
    if cell >= 100 or cell == int(cell):
        return f"{cell:,.0f}"
    return f"{cell:.2f}" if cell < 1 else f"{cell:.1f}"


def _with_unit(figure: float, unit: str) -> str:
    return f"{figure:.2f} {unit}".rstrip()
