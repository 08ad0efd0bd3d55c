"""Durations and sizes as people read them."""

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_DURATIONS = ((86_400, "d"), (3600, "h"), (60, "min"))


def duration_text(seconds: float) -> str:
    """Return a duration in its largest whole unit.

    >>> duration_text(7300)
    '2 h'
    """
    for size, unit in _DURATIONS:
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def size_text(size_bytes: float) -> str:
    """Return a size as people read it.

    >>> size_text(1536)
    '1.5 KiB'
    """
    for unit in _UNITS:
        if abs(size_bytes) < 1024 or unit == _UNITS[-1]:
            return f"{size_bytes:.0f} B" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1024
    raise AssertionError("the last unit takes any size")
