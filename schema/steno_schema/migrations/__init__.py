"""The database's shape: numbered SQL files, applied in order, and the views people query."""

from importlib import resources

APPLICATION_ID = 0x5354454E
"""``STEN``: tells a steno database from any other SQLite file."""


def numbered() -> list[tuple[int, str, str]]:
    """Return (version, name, SQL) of every migration, in order."""
    found: list[tuple[int, str, str]] = []
    for entry in resources.files(__name__).iterdir():
        if entry.name.endswith(".sql") and entry.name[:4].isdigit():
            found.append((int(entry.name[:4]), entry.name, entry.read_text(encoding="utf-8")))
    return sorted(found)


def views() -> str:
    """Return the SQL of all views; they are made anew whenever a migration ran."""
    return (resources.files(__name__) / "views.sql").read_text(encoding="utf-8")
