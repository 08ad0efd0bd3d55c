"""``steno backup``, ``restore``, ``publish``, ``check`` and ``vacuum``: care of the database."""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from steno.cli.command import Command, Context, Failed, no_arguments
from steno.cli.jobs import carry_out, run_job, took_text
from steno.cli.launch import daemon_command, daemon_environment, find_daemon
from steno.cli.quantities import size_text


def _configure_backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", help="where to; left out: the folder of the settings")
    parser.add_argument(
        "--rehearse", action="store_true", help="restore it into a temporary place and compare"
    )


def _configure_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")


def _configure_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", nargs="?", help="a backup; else the database")


def _run_backup(context: Context) -> int:
    if context.args.rehearse:
        run = carry_out(context, "rehearse")
        detail = run["detail"]
        sentence = (
            f"A backup of now came back equal in {detail['tables']} tables:"
            f" {detail['exchanges']:,} exchanges ({took_text(run['duration_ms'])})."
        )
    else:
        path = {"path": _absolute(context.args.file)} if context.args.file else {}
        run = carry_out(context, "backup", path)
        sentence = _copied("Backed up", run)
    return _tell(context, run, sentence)


def _run_publish(context: Context) -> int:
    if find_daemon(context) is None:
        return _without_daemon(context, ["publish", _absolute(context.args.file)])
    run = carry_out(context, "publish", {"path": _absolute(context.args.file)})
    return _tell(context, run, _copied("Published", run))


def _run_restore(context: Context) -> int:
    return _without_daemon(context, ["restore", _absolute(context.args.file)])


def _run_check(context: Context) -> int:
    if context.args.file:
        return _without_daemon(context, ["check", _absolute(context.args.file)])
    if find_daemon(context) is None:
        return _without_daemon(context, ["check"])
    run = carry_out(context, "check")
    tables, took = run["detail"]["tables"], took_text(run["duration_ms"])
    return _tell(context, run, f"The database is whole: {tables} tables read in {took}.")


def _run_vacuum(context: Context) -> int:
    return run_job(context, "vacuum")


def _copied(verb: str, run: dict[str, Any]) -> str:
    detail = run["detail"]
    return (
        f"{verb} {detail['exchanges']:,} exchanges, {detail['messages']:,} messages"
        f" ({size_text(detail['size_bytes'])}) to {detail['path']},"
        f" verified, in {took_text(run['duration_ms'])}."
    )


def _tell(context: Context, run: dict[str, Any], sentence: str) -> int:
    if context.args.json:
        context.screen.json(run)
    else:
        context.screen.text(sentence)
    return 0


def _without_daemon(context: Context, words: list[str]) -> int:
    """Have ``stenod`` do it as a process; what it says and its exit code are those of steno."""
    flags = ["--json"] if context.args.json else []
    context.screen.finish()
    try:
        done = subprocess.run(
            daemon_command(context, [*words[:1], *flags, "--", *words[1:]]),
            env=daemon_environment(context),
            stdin=subprocess.DEVNULL,
            stdout=sys.stdout,
            check=False,
        )
    except OSError as error:
        raise Failed(f"stenod cannot be started: {error.strerror}.") from error
    return done.returncode


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


COMMANDS = {
    "backup": Command(
        "Write a verified backup while everything goes on; old ones are removed by the settings.",
        "steno backup --rehearse",
        _configure_backup,
        _run_backup,
    ),
    "restore": Command(
        "Put a backup in the database's place; the daemon must be down. What was there is kept.",
        "steno restore backup.db",
        _configure_file,
        _run_restore,
    ),
    "publish": Command(
        "Write a snapshot in one file that others may read, on a network share for example.",
        "steno publish /srv/share/steno.db",
        _configure_file,
        _run_publish,
    ),
    "check": Command(
        "Read the whole database, or a backup, and check that it is sound.",
        "steno check",
        _configure_check,
        _run_check,
    ),
    "vacuum": Command(
        "Write the database anew without its free pages; writes wait meanwhile.",
        "steno vacuum",
        no_arguments,
        _run_vacuum,
    ),
}
