"""From an exception to one sentence on stderr and an exit code."""

import os
import sys
from collections.abc import Iterable

from steno.cli.command import Failed, WrongUse
from steno.cli.screen import escape_line

NOTHING_FOUND, WRONG_USE, UNREACHABLE, FAILED = 1, 2, 3, 4
_REFUSALS = {"not_found": NOTHING_FOUND, "bad_request": WRONG_USE}


def report(error: Exception) -> int:
    """Say what went wrong and what to do about it; return the exit code."""
    code, message, hint = _explain(error)
    if os.environ.get("STENO_DEBUG", "").lower() in {"1", "true", "yes", "on"}:
        import traceback

        hint += "\n" + "".join(traceback.format_exception(error))
    say(message if message.startswith("steno ") else f"steno: {message}", hint)
    return code


def say(message: str, hint: str = "") -> None:
    """Print a sentence for the person on stderr; a stderr that is gone is no further error."""
    lines = "\n".join(escape_line(line) for line in f"{message} {hint}".rstrip().split("\n"))
    try:
        sys.stderr.write(lines + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return


def unknown_command(name: str, known: list[str]) -> WrongUse:
    """Return the error for a command that does not exist, with the nearest one that does."""
    near = guess(name, known)
    meant = f"Did you mean steno {near}? " if near else ""
    return WrongUse(
        f"there is no command {name[:40]!r}.", f"{meant}steno --help lists all commands."
    )


def guess(word: str, known: Iterable[str]) -> str | None:
    """Return what somebody who wrote ``word`` may have meant, ``None`` if nothing is near."""
    import difflib

    candidates = {each.casefold(): each for each in known}
    lowered = word.casefold()
    near = difflib.get_close_matches(lowered, candidates, n=1)
    longer = [each for each in candidates if lowered and each.startswith(lowered)]
    found = near or longer[:1]
    return candidates[found[0]] if found else None


def _explain(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, WrongUse):
        return WRONG_USE, str(error), error.hint
    if isinstance(error, Failed):
        return FAILED, str(error), error.hint
    if isinstance(error, UnicodeError):
        return WRONG_USE, "the text is not valid Unicode.", "Give it as UTF-8."
    if isinstance(error, OSError):
        place = error.filename or "the output"
        return FAILED, f"{place} cannot be used: {error.strerror or error}.", ""
    return _explain_steno(error)


def _explain_steno(error: Exception) -> tuple[int, str, str]:
    from steno.errors import Misuse, Refused, StenoError, Unreachable

    if isinstance(error, StenoError):
        code = UNREACHABLE if isinstance(error, Unreachable) else FAILED
        if isinstance(error, Misuse):
            code = WRONG_USE
        elif isinstance(error, Refused):
            code = _REFUSALS.get(str(error.code), FAILED)
        return code, error.message, error.hint
    from steno_schema.config import ConfigError

    if isinstance(error, ConfigError):
        return FAILED, f"{error}.", "Correct it, then try again."
    return FAILED, f"this should not have happened: {type(error).__name__}: {error}.", ""
