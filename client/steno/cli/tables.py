"""Tables of text: columns that fit a terminal, or fields between tabs."""

from collections.abc import Iterator, Sequence

_GAP = 2
_NARROWEST = 6


def display_width(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes.

    >>> display_width("日本")
    4
    """
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def clip(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` columns, its cut shown by an ellipsis.

    >>> clip("a long sentence", 7)
    'a long…'
    """
    if display_width(text) <= width:
        return text
    kept: list[str] = []
    room = width - 1
    for char in text:
        room -= display_width(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…" if width > 0 else ""


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return ``text`` filled up with spaces to ``width`` columns."""
    blanks = " " * max(width - display_width(text), 0)
    return blanks + text if right else text + blanks


def aligned(
    headers: Sequence[str], rows: Sequence[Sequence[str]], width: int | None
) -> Iterator[str]:
    """Yield the header and the rows as lines of at most ``width`` columns.

    Numbers stand to the right. Where it is too wide, the widest column gives way first.
    """
    numeric = [_is_numeric(rows, place) for place in range(len(headers))]
    sizes = [
        max(display_width(line[place]) for line in [list(headers), *rows])
        for place in range(len(headers))
    ]
    if width is not None:
        _shrink(sizes, width)
    for row in [headers, *rows]:
        cells = [
            pad(clip(cell, size), size, right=right)
            for cell, size, right in zip(row, sizes, numeric, strict=True)
        ]
        yield (" " * _GAP).join(cells).rstrip()


def separated(headers: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows as lines of fields between tabs, after the header if there is one."""
    if headers is not None:
        yield "\t".join(headers)
    for row in rows:
        yield "\t".join(row)


def bar(value: float, largest: float, width: int) -> str:
    """Return a bar of at most ``width`` columns, as long as ``value`` is of ``largest``.

    >>> bar(1, 2, 4)
    '██'
    """
    if largest <= 0 or value <= 0:
        return ""
    eighths = max(round(value / largest * width * 8), 1)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[rest]


def _is_numeric(rows: Sequence[Sequence[str]], place: int) -> bool:
    cells = [row[place] for row in rows if row[place]]
    return bool(cells) and all(_is_number(cell) for cell in cells)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "").removeprefix("$"))
    except ValueError:
        return False
    return True


def _shrink(sizes: list[int], width: int) -> None:
    excess = sum(sizes) + _GAP * (len(sizes) - 1) - width
    while excess > 0:
        widest = max(range(len(sizes)), key=sizes.__getitem__)
        if sizes[widest] <= _NARROWEST:
            return
        others = [size for place, size in enumerate(sizes) if place != widest]
        floor = max(max(others, default=0), _NARROWEST)
        step = max(min(excess, sizes[widest] - floor), 1)
        sizes[widest] -= step
        excess -= step
