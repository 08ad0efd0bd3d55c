"""What needs the database but no daemon: restore, publish, check, and a look at what is there."""

import argparse
import sys
from pathlib import Path
from typing import Any

import apsw
import msgspec

from steno_schema.errors import RequestError
from steno_schema.paths import Paths
from steno_schema.requests import List, Sql
from stenod import instance
from stenod.backup.restore import restore
from stenod.backup.snapshot import copy_database
from stenod.backup.verify import check_belongs_to_steno, verify
from stenod.jobs.copies import PUBLIC_MODE
from stenod.query.exchanges import list_exchanges
from stenod.query.sql import run_sql
from stenod.store.connection import check_library, open_reader, sqlite_error

EXIT_FAILED_CHECK = 1
EXIT_REFUSED = 4


def run(paths: Paths, options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit code."""
    check_library()
    try:
        return int(_COMMANDS[options.command](paths, options))
    except apsw.Error as error:
        raise sqlite_error(error) from error


def _restore(paths: Paths, options: argparse.Namespace) -> int:
    instance.prepare_folders(paths)
    lock = instance.Lock(paths.lock)
    try:
        lock.take(wait_s=0)
    except instance.AlreadyRunning as holder:
        sys.stderr.write(
            f"stenod: the daemon ({holder}) is using the database. Stop it with steno down.\n"
        )
        return EXIT_REFUSED
    try:
        restored = restore(paths, _absolute(options.file))
    finally:
        lock.release()
    aside = None if restored.aside is None else str(restored.aside)
    held = f"{restored.rows['exchange']:,} exchanges, {restored.rows['message']:,} messages"
    kept = f" What was there is in {aside}." if aside else ""
    _tell(
        options,
        {"rows": restored.rows, "aside": aside},
        f"Restored {held}.{kept} steno up takes in what is newer in transcripts and spool.",
    )
    return 0


def _publish(paths: Paths, options: argparse.Namespace) -> int:
    target = _absolute(options.file)
    if target.exists():
        check_belongs_to_steno(target)
    copy = copy_database(paths.database, target, mode=PUBLIC_MODE)
    _tell(options, copy.told(), f"Published {copy.rows['exchange']:,} exchanges to {target}.")
    return 0


def _check(paths: Paths, options: argparse.Namespace) -> int:
    path = _absolute(options.file) if options.file else paths.database
    try:
        found = verify(path)
    except RequestError as error:
        _tell(options, {"ok": False, "path": str(path), "error": error.message}, error.message)
        return EXIT_FAILED_CHECK
    _tell(
        options,
        {"ok": True, "path": str(path), "rows": found.rows, "version": found.schema_version},
        f"{path} is whole: {found.rows['exchange']:,} exchanges.",
    )
    return 0


def _read(paths: Paths, options: argparse.Namespace) -> int:
    connection = open_reader(paths.database)
    try:
        if options.query:
            table = run_sql(connection, Sql(query=options.query, limit=options.limit))
            rows: list[Any] = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        else:
            rows = list(list_exchanges(connection, List(limit=options.limit)).items)
    finally:
        connection.close()
    for row in rows:
        sys.stdout.write(msgspec.json.encode(row).decode() + "\n")
    return 0


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()


def _tell(options: argparse.Namespace, told: dict[str, Any], sentence: str) -> None:
    text = msgspec.json.encode(told).decode() if options.json else sentence
    sys.stdout.write(text + "\n")


_COMMANDS = {"restore": _restore, "publish": _publish, "check": _check, "read": _read}
