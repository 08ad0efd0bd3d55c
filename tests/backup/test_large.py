"""A backup larger than the page cache is whole: pages leave the cache before the copy is done."""

import os
import sqlite3
from pathlib import Path

from support.running import RunningDaemon

ROWS = int(os.environ.get("STENO_TEST_BACKUP_ROWS", "6000"))


def test_a_copy_that_outgrows_the_cache_is_whole(daemon: RunningDaemon, tmp_path: Path) -> None:
    with daemon.client() as client:
        for _ in range(ROWS // 500):
            with client.batch() as batch:
                for number in range(500):
                    batch.history.save(f"question {number} " * 10, f"answer {number} " * 60)
    target = tmp_path / "copy.db"
    done = daemon.steno("backup", str(target))
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(f"file:{target}?mode=ro", uri=True) as connection:
        assert connection.execute("SELECT count(*) FROM history").fetchone() == (ROWS,)
    connection.close()
