"""``stenod``: the daemon in the foreground, under whatever supervisor there is."""

import argparse
import logging
import os
import resource
import sys
from functools import partial
from pathlib import Path

from steno_schema import __version__, config, paths
from steno_schema.errors import ErrorCode, RequestError

EXIT_WRONG_USE = 2
EXIT_REFUSED = 4
RECOVERIES_MAX = 5
"""Of one process; a disk that damages every database is no place for another one."""


def main(arguments: list[str] | None = None) -> int:
    """Run the daemon; returns its exit code."""
    options = _parser().parse_args(arguments)
    if options.socket:
        os.environ["STENO_SOCKET"] = options.socket
    if options.home:
        os.environ["STENO_HOME"] = str(Path(options.home).expanduser().absolute())
    logging.basicConfig(
        level=options.log_level.upper(),
        format="%(asctime)s level=%(levelname)s at=%(name)s %(message)s",
        stream=sys.stderr,
    )
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        if options.command:
            from stenod import offline

            return offline.run(paths.resolve(), options)
        return _run(paths.resolve(), options)
    except (RequestError, config.ConfigError) as error:
        hint = getattr(error, "hint", "")
        sys.stderr.write(f"stenod: {error} {hint}".rstrip() + "\n")
        return EXIT_REFUSED
    except OSError as error:
        sys.stderr.write(f"stenod: {error.strerror or error}: {error.filename or ''}\n")
        return EXIT_REFUSED
    except ModuleNotFoundError as error:
        sys.stderr.write(f"stenod: {error.name} is missing; install steno[daemon].\n")
        return EXIT_REFUSED


def _run(where: paths.Paths, options: argparse.Namespace) -> int:
    import apsw

    from stenod import instance, replace
    from stenod.store.connection import sqlite_error

    loaded = config.load(where)
    instance.prepare_folders(where)
    if options.replace:
        replace.stop_running(where.socket)
    lock = instance.Lock(where.lock)
    try:
        lock.take()
    except instance.AlreadyRunning as holder:
        sys.stderr.write(
            f"stenod: another daemon ({holder}) serves {where.data}."
            " Use it, or start this one with --replace.\n"
        )
        return EXIT_REFUSED

    try:
        _serve(where, loaded, capture=not options.no_capture)
    except apsw.Error as error:
        raise sqlite_error(error) from error
    finally:
        lock.release()
    return 0


def _serve(where: paths.Paths, loaded: config.Loaded, *, capture: bool) -> None:
    """Run daemons until one stops for another reason than a damaged database."""
    import anyio
    import apsw

    from stenod.daemon import Daemon
    from stenod.recovery import damage
    from stenod.recovery.recover import recover_if_needed
    from stenod.store.connection import is_damage

    for _ in range(RECOVERIES_MAX):
        recover_if_needed(where, loaded.settings)

        async def serve() -> bool:
            daemon = Daemon(where, loaded, capture=capture)
            await daemon.run()
            return daemon.is_damaged

        try:
            if not anyio.run(serve):
                return
        except apsw.Error as error:
            if not is_damage(error):
                raise
            damage.mark(where, "the start", error)
    raise RequestError(
        ErrorCode.CORRUPT,
        "The database is found damaged again and again.",
        "Look at the disk and the memory of this machine.",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stenod", description="The steno daemon: owns the database, answers on its socket."
    )
    parser.add_argument("--foreground", action="store_true", help="stay in front (always so)")
    parser.add_argument("--home", metavar="DIR", help="one folder for everything (STENO_HOME)")
    parser.add_argument("--socket", metavar="PATH", help="listen here (STENO_SOCKET)")
    parser.add_argument("--no-capture", action="store_true", help="do not read agents' files")
    parser.add_argument("--replace", action="store_true", help="drain a running daemon first")
    parser.add_argument(
        "--log-level", default="info", choices=["debug", "info", "warning", "error"]
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="without a daemon")
    add = partial(commands.add_parser, allow_abbrev=False)
    restore = add("restore", help="put a backup in the database's place")
    restore.add_argument("file", metavar="FILE")
    publish = add("publish", help="write a snapshot for others to read, in one file")
    publish.add_argument("file", metavar="FILE")
    check = add("check", help="read a database from end to end and check that it is sound")
    check.add_argument(
        "file", metavar="FILE", nargs="?", help="a backup; the database if left out"
    )
    read = add("read", help="print what is there as JSON lines, changing nothing")
    read.add_argument("query", metavar="SQL", nargs="?", help="the newest exchanges if left out")
    read.add_argument("--limit", type=int, default=20, metavar="N")
    for command in (restore, publish, check):
        command.add_argument("--json", action="store_true", help="JSON instead of a sentence")
    parser.add_argument("--version", action="version", version=f"stenod {__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
