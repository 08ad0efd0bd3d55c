"""Damage to a database file, aimed at what a test wants to lose."""

from pathlib import Path

import apsw

from support.running import RunningDaemon

PAGE_BYTES = 4096


def pages_of(database: Path, name: str, kind: str = "leaf") -> list[int]:
    """Return the numbers of the pages of a table or index; the database must be at rest."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    rows = connection.execute(
        "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY pageno", (name, kind)
    ).fetchall()
    connection.close()
    return [int(str(row[0])) for row in rows]


def overwrite(database: Path, pages: list[int], filler: bytes = b"\xa5") -> None:
    """Fill pages with what nobody wrote there."""
    with database.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE_BYTES)
            file.write(filler * PAGE_BYTES)


def flip(path: Path, bit: int) -> None:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def fill(daemon: RunningDaemon, first: int, last: int) -> list[str]:
    """Save exchanges numbered from ``first`` to ``last``; return their ids."""
    with daemon.client(spool=False) as client, client.batch() as batch:
        saved = [
            batch.history.save(f"prompt {number} {'word ' * 60}", f"answer {number}", tags=["t"])
            for number in range(first, last + 1)
        ]
    return [each.id for each in saved]
