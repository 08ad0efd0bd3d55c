"""``steno save``: record one exchange from a shell."""

import argparse
import sys
from typing import Any

from steno.cli.command import Command, Context, Failed, WrongUse, amount, count, rating
from steno.cli.failures import say

_TEXTS = {
    "model": "what answered",
    "framework": "what the prompt was made with",
    "template": "the template it was made from",
    "category": "its category: database, api, bug_fix …",
    "technique": "the prompting technique",
    "stage": "the development stage",
    "phase": "the phase of the project",
    "file": "the file it is about",
    "session": "the session it belongs to; an unknown one is made",
    "conversation": "the conversation it belongs to; an unknown one is made",
    "user": "who asked",
    "project": "the project; . is this folder's",
}
_RENAMED = {"file": "current_file"}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", nargs="?", metavar="PROMPT", help="- or nothing reads stdin")
    parser.add_argument("--output", metavar="TEXT", default="", help="the answer; - reads stdin")
    for name, help_text in _TEXTS.items():
        parser.add_argument(f"--{name}", metavar=name.upper(), help=help_text)
    parser.add_argument("--tokens", metavar="N", type=count, help="the total, if that is known")
    parser.add_argument("--input-tokens", metavar="N", type=count)
    parser.add_argument("--output-tokens", metavar="N", type=count)
    parser.add_argument("--cost", metavar="USD", type=amount)
    parser.add_argument("--tag", metavar="T", action="append", default=[], help="may be repeated")
    parser.add_argument("--rating", metavar="N", type=rating, help="from 0 to 10")
    parser.add_argument("--follow-up", action="store_true", default=None)
    parser.add_argument("--metadata", metavar="JSON", help="a JSON object with anything else")


def _run(context: Context) -> int:
    fields = fields_of(context.args)
    _check_wanted(context, fields.get("project"))
    prompt, output = texts_of(context.args)
    saved = context.client.history.save(prompt, output, **fields)
    if context.args.json:
        told = {"id": saved.id, "stored": saved.stored, "outcome": saved.outcome}
        context.screen.json(told)
    else:
        context.screen.line(saved.id)
        if saved.stored == "spool":
            say("The daemon is away: kept in the spool until it runs.", "Start it with steno up.")
    return 0


def _check_wanted(context: Context, project: str | None) -> None:
    """Refuse what is saved in, or for, a project that stays out."""
    from steno.context import Context as Surroundings
    from steno.context import project_here
    from steno.projects import IGNORE_FILE, stays_out

    surroundings = Surroundings(context.home, None)
    ignore = surroundings.settings.capture.ignore
    for place in (project_here(), project or surroundings.project()):
        if place is not None and stays_out(place, ignore):
            raise Failed(
                f"{place} stays out of steno: nothing was saved.",
                f"Its {IGNORE_FILE} says so, or capture.ignore in the configuration.",
            )


def texts_of(args: argparse.Namespace) -> tuple[str, str]:
    """Return prompt and output, one of them read from standard input if asked for."""
    prompt: str | None = None if args.prompt == "-" else args.prompt
    output: str = args.output
    if prompt is None and output == "-":
        raise WrongUse("only one of prompt and output can come from standard input.")
    if prompt is None:
        prompt = read_stdin("the prompt")
    if not prompt.strip():
        raise WrongUse("there is no prompt to save.", "Give it as an argument or on stdin.")
    return prompt, read_stdin("the output") if output == "-" else output


def read_stdin(what: str) -> str:
    """Return the text on standard input without its last newline.

    Bytes that are not UTF-8 become U+FFFD, as everywhere in steno, and the person is told.
    """
    if sys.stdin is None:
        raise WrongUse(f"there is no standard input to read {what} from.")
    if sys.stdin.isatty():
        say(f"Type {what}, then Ctrl-D.")
    data = sys.stdin.buffer.read()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        say(f"Not all of {what} is UTF-8 (byte {error.start}): such bytes became U+FFFD.")
        text = data.decode("utf-8", "replace")
    return text.removesuffix("\n")


def fields_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the keyword arguments of ``history.save`` that the flags mean."""
    fields: dict[str, Any] = {
        _RENAMED.get(name, name): getattr(args, name)
        for name in _TEXTS
        if getattr(args, name) is not None
    }
    if "project" in fields:
        from steno.cli.filters import project_path

        fields["project"] = project_path(fields["project"])
    if args.tag:
        fields["tags"] = args.tag
    given = {"cost_usd": args.cost, "rating": args.rating, "follow_up": args.follow_up}
    fields |= {name: value for name, value in given.items() if value is not None}
    if args.metadata is not None:
        fields["metadata"] = _metadata(args.metadata)
    numbers = (args.tokens, args.input_tokens, args.output_tokens)
    if any(number is not None for number in numbers):
        from steno_schema.records import Tokens

        fields["tokens"] = Tokens(
            input=args.input_tokens or 0, output=args.output_tokens or 0, total=args.tokens
        )
    return fields


def _metadata(text: str) -> dict[str, Any]:
    import msgspec

    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise WrongUse("--metadata is not a JSON object.", "Example: '{\"run\": 7}'.") from error


COMMANDS = {
    "save": Command(
        "Record one exchange and print its id; without a daemon it is kept until there is one.",
        "steno save 'Why is the sky blue?' --output 'Rayleigh scattering.' --model gpt-5 --tag sky",
        _configure,
        _run,
    )
}
