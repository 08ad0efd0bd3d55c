"""Where a word is still to be found in what steno keeps: every file, and inside what is compressed."""

import sqlite3
from contextlib import closing
from pathlib import Path

from stenod.store.compression import decompress

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def places_of(folder: Path, word: str) -> list[str]:
    """Return the files below ``folder``, and the table columns, that hold ``word``."""
    wanted = word.encode()
    found = [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and wanted in path.read_bytes()
    ]
    for database in sorted(folder.rglob("*.db")):
        found += _columns_of(database, wanted)
    return found


def _columns_of(database: Path, wanted: bytes) -> list[str]:
    found: set[str] = set()
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
        ).fetchall()
        for (table,) in names:
            rows = connection.execute(f"SELECT * FROM {table}")
            columns = [column[0] for column in rows.description]
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    if wanted in _plain(value):
                        found.add(f"{database.name}: {table}.{column}")
    return sorted(found)


def _plain(value: object) -> bytes:
    if not isinstance(value, bytes):
        return str(value).encode("utf-8", "surrogatepass")
    return decompress(value, "zstd") if value.startswith(ZSTD_MAGIC) else value
