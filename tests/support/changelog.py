"""What time does to the change log, done at once."""

from pathlib import Path

import apsw


def cut(database: Path, keep_commits: int) -> int:
    """Drop all but the newest commits of exchanges from the log of a daemon at rest.

    Returns the sequence of the oldest change that is left.
    """
    connection = apsw.Connection(str(database))
    query = "SELECT sequence FROM change WHERE kind = 'exchange' ORDER BY sequence DESC LIMIT ?"
    kept = [row[0] for row in connection.execute(query, (keep_commits,))]
    connection.execute("DELETE FROM change WHERE sequence < ?", (kept[-1],))
    connection.close()
    return int(kept[-1])
