"""``steno vacuum``: care of the database that a person asks for."""

from steno.cli.command import Command, Context, no_arguments
from steno.cli.jobs import run_job


def _run_vacuum(context: Context) -> int:
    return run_job(context, "vacuum")


COMMANDS = {
    "vacuum": Command(
        "Write the database anew without its free pages; writes wait meanwhile.",
        "steno vacuum",
        no_arguments,
        _run_vacuum,
    )
}
