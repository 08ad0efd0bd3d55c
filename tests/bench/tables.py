"""Figures and how they are shown."""

import statistics
from collections.abc import Sequence

from msgspec import Struct


class Row(Struct):
    """One line of a result: what was measured, and its figures by name."""

    what: str
    figures: dict[str, str]


def table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    lines = [f"| what | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for row in rows:
        cells = [row.figures.get(name, "") for name in names]
        lines.append(f"| {row.what} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of the sorted values lie."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"
