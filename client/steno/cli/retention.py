"""``steno retention``: what the settings say shall not be kept, and removing it now."""

import argparse
from typing import Any

from steno.cli.command import Command, Context
from steno.cli.jobs import TIMEOUT_S
from steno.cli.quantities import size_text
from steno_schema.replies import Done
from steno_schema.requests import Admin


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only tell what would go")


def _run(context: Context) -> int:
    screen, dry_run = context.screen, context.args.dry_run
    request = Admin(action="retention_run", arguments={"dry_run": dry_run})
    result = context.ask(request, Done, timeout_s=TIMEOUT_S).result
    told: dict[str, Any] = result if dry_run else result["detail"]
    if context.args.json:
        screen.json({"dry_run": dry_run, **told})
        return 0
    rows = [
        [policy["policy"], f"{policy['count']:,}", size_text(policy["bytes"])]
        for policy in told["policies"]
    ]
    if rows:
        screen.table(["policy", "would go" if dry_run else "gone", "text"], rows)
    else:
        screen.text("No policy deletes anything; [retention] in config.toml sets some.")
    sessions = told["sessions_archived"]
    what = "1 idle session" if sessions == 1 else f"{sessions:,} idle sessions"
    screen.text(f"{what} {'would be archived' if dry_run else 'archived'}.")
    return 0


COMMANDS = {
    "retention": Command(
        "Remove what [retention] of the settings says shall not be kept; --dry-run only tells.",
        "steno retention --dry-run",
        _configure,
        _run,
    )
}
