"""What a command is made of: its flags, its example and one function that runs it."""

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

from steno.cli.screen import Screen, terminal_width

if TYPE_CHECKING:
    from pathlib import Path

    from steno.client import Client
    from steno_schema.paths import Paths
    from steno_schema.replies import Reply
    from steno_schema.requests import Request

ReplyType = TypeVar("ReplyType", bound="Reply")
DEFAULT_TIMEOUT_S = 30.0
_HELP_COLUMNS = 100


class WrongUse(Exception):
    """The command line cannot be understood: exit code 2."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Failed(Exception):
    """The command could not do what was asked: exit code 4."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence, and that knows its own flags."""

    def error(self, message: str) -> NoReturn:
        raise WrongUse(f"{self.prog}: {message}.", f"See {self.prog} --help.")

    def parse(self, words: list[str]) -> argparse.Namespace:
        """Parse all of ``words``; of an unknown flag it is guessed what was meant."""
        found, unknown = self.parse_known_args(words)
        if not unknown:
            return found
        from steno.cli.failures import guess

        word = str(unknown[0])
        near = guess(word.partition("=")[0], self.flags()) if word.startswith("--") else None
        meant = f"Did you mean {near}? " if near else ""
        what = "flag" if word.startswith("-") else "argument"
        raise WrongUse(
            f"{self.prog}: there is no {what} {word[:40]!r}.", f"{meant}See {self.prog} --help."
        )

    def flags(self) -> list[str]:
        """Return every flag, for the completion scripts."""
        return [flag for action in self._actions for flag in action.option_strings]

    def words(self) -> list[str]:
        """Return the choices of the positional arguments, for the completion scripts."""
        positional = [action for action in self._actions if not action.option_strings]
        return [str(word) for action in positional for word in action.choices or ()]


class Context:
    """What a running command has at hand; the daemon is only called when it is needed."""

    def __init__(
        self, args: argparse.Namespace, screen: Screen, client: "Client | None" = None
    ) -> None:
        self.args = args
        self.screen = screen
        self._client = client

    @property
    def home(self) -> "Path | None":
        """The folder that ``--home`` named, absolute."""
        if not self.args.home:
            return None
        from pathlib import Path

        return Path(self.args.home).expanduser().absolute()

    @property
    def paths(self) -> "Paths":
        from steno_schema.paths import resolve

        return resolve(home=self.home)

    @property
    def client(self) -> "Client":
        """The client; made at first use."""
        if self._client is None:
            from steno.client import Client

            self._client = Client(home=self.home, timeout_s=self.args.timeout)
        return self._client

    def ask(
        self, request: "Request", reply_type: type[ReplyType], *, timeout_s: float | None = None
    ) -> ReplyType:
        """Return the daemon's reply of type ``reply_type``; raise what the client raises.

        ``timeout_s`` replaces ``--timeout`` for what takes longer.
        """
        sent: Any = request
        reply = self.client.request(sent, timeout_s)
        if not isinstance(reply, reply_type):
            raise Failed(
                f"The daemon answered with {type(reply).__name__}.",
                "Its version may differ from this one: run steno restart.",
            )
        return reply

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


class Command(NamedTuple):
    """One command: ``configure`` adds its flags, ``run`` does it and returns the exit code."""

    summary: str
    example: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Context], int]
    prints_data: bool = True
    dashes_are_words: bool = False
    """``-word`` belongs to the arguments: a search without it, a tag to take off."""


class Group(NamedTuple):
    """A command of commands: ``steno tasks add``. Without an action it does ``default``."""

    summary: str
    example: str
    actions: dict[str, Command]
    default: str

    def choose(self, name: str, words: list[str]) -> tuple[str, Command, list[str]]:
        """Return the full name of the action that ``words`` ask for, the action, and its words."""
        word = words[0] if words and not words[0].startswith("-") else self.default
        if word not in self.actions:
            from steno.cli.failures import guess

            near = guess(word, self.actions)
            meant = f"Did you mean steno {name} {near}? " if near else ""
            raise WrongUse(
                f"steno {name} has no action {word[:40]!r}.",
                f"{meant}It has {', '.join(self.actions)}.",
            )
        rest = words[1:] if words and words[0] == word else words
        return f"{name} {word}", self.actions[word], rest

    def help_text(self, name: str) -> str:
        """Return what ``steno NAME --help`` prints."""
        width = max(map(len, self.actions))
        lines = [f"usage: steno {name} [ACTION] [flags]", "", self.summary, "", "actions:"]
        for word, action in self.actions.items():
            lines.append(f"  {word:<{width}}  {action.summary}")
        lines += ["", f"Without an action: {self.default}.", ""]
        lines += [f"flags: steno {name} ACTION --help", "", "example:", f"  {self.example}", ""]
        return "\n".join(lines)


def build_parser(name: str, command: Command) -> Parser:
    """Return the parser of one command."""
    parser = Parser(
        prog=f"steno {name}",
        description=command.summary,
        epilog=f"example:\n  {command.example}",
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    command.configure(parser)
    common = parser.add_argument_group("flags of every command")
    if command.prints_data:
        common.add_argument("--json", action="store_true", help="JSON instead of text")
    common.add_argument("--home", metavar="DIR", help="a private instance in this folder")
    common.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    common.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=positive_number,
        default=DEFAULT_TIMEOUT_S,
        help="how long to wait for the daemon's answer",
    )
    return parser


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return a formatter that knows its width: finding out would load ``shutil`` every time."""
    width = min(terminal_width(), _HELP_COLUMNS)
    return argparse.RawDescriptionHelpFormatter(prog, width=width)


def parse(name: str, command: Command, words: list[str]) -> argparse.Namespace:
    """Return what ``words`` say to the command; raise ``WrongUse`` if they make no sense."""
    if command.dashes_are_words:
        words = [_as_argument(word) for word in words]
    return build_parser(name, command).parse(words)


def run(name: str, command: Command | Group, leading: list[str], words: list[str]) -> int:
    """Parse ``words``, the flags ``leading`` before them, and run the command.

    Returns its exit code.
    """
    if isinstance(command, Group):
        if words and words[0] in {"-h", "--help"}:
            sys.stdout.write(command.help_text(name))
            return 0
        name, command, words = command.choose(name, words)
    args = parse(name, command, [*leading, *words])
    context = Context(args, Screen(sys.stdout, colour=args.color))
    try:
        code = command.run(context)
        context.screen.finish()
        return code
    finally:
        context.screen.stop_pager()
        context.close()


def _as_argument(word: str) -> str:
    """Return ``-word`` behind a blank, which tells the parser that it is no flag."""
    is_flag = word.startswith("--") or word in {"-", "-h"} or not word.startswith("-")
    return word if is_flag else f" {word}"


def no_arguments(parser: argparse.ArgumentParser) -> None:
    """``configure`` of a command without arguments of its own."""


def positive_number(text: str) -> float:
    """A flag's value that is a number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be a number above 0")
    return value


def count(text: str) -> int:
    """A flag's value that is a whole number, 0 or more."""
    value = int(text)
    if not 0 <= value <= 2**53:
        raise argparse.ArgumentTypeError("must be a whole number, 0 or more")
    return value


def rating(text: str) -> float:
    """A flag's value that is a rating from 0 to 10."""
    value = float(text)
    if not 0 <= value <= 10:
        raise argparse.ArgumentTypeError("must be a number from 0 to 10")
    return value


def amount(text: str) -> float:
    """A flag's value that is a sum of US dollars, 0 or more."""
    value = float(text)
    if not 0 <= value <= 1e12:
        raise argparse.ArgumentTypeError("must be an amount in US dollars, 0 or more")
    return value
