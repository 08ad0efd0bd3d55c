"""The text in what a tracked call takes and gives."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

PROMPT_NAMES = ("prompt", "query", "question", "text", "message", "messages", "input")
"""Parameters that are taken for the prompt, in this order; else it is the first text."""
_TEXT_ATTRIBUTES = ("output_text", "text", "content")


def text_of(value: object) -> str:
    """Return the text a value is or carries: text, bytes, a message, or data as JSON; else ``""``.

    >>> text_of({"answer": 42})
    '{"answer":42}'
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    for name in _TEXT_ATTRIBUTES:
        text = getattr(value, name, None)
        if isinstance(text, str):
            return text
    if isinstance(value, bool | int | float | dict | list | tuple | msgspec.Struct):
        try:
            return msgspec.json.encode(value).decode()
        except (TypeError, ValueError, RecursionError):
            return ""
    return ""


def prompt_text(value: object) -> str:
    """Return a prompt's text; of a list of chat messages that of the user's last one."""
    return _last_of_user(value) or text_of(value)


def _last_of_user(messages: object) -> str:
    if isinstance(messages, list | tuple):
        for message in reversed(cast("Sequence[object]", messages)):
            if isinstance(message, Mapping):
                fields = cast("Mapping[object, object]", message)
                if fields.get("role") == "user" and isinstance(fields.get("content"), str):
                    return str(fields["content"])
    return ""


def prompt_finder(
    function: Callable[..., Any], chosen: str | Callable[..., object] | None
) -> Callable[[tuple[Any, ...], Mapping[str, Any]], str]:
    """Return what finds the prompt among the arguments of a call of ``function``.

    ``chosen`` names the parameter, or is called with the arguments; ``None`` looks for one of
    ``PROMPT_NAMES``, then for the first argument that is text.
    """
    if callable(chosen):
        choose = chosen
        return lambda args, words: prompt_text(choose(*args, **words))
    parameters = _parameters(function)
    names = PROMPT_NAMES if chosen is None else (chosen,)
    name = next((each for each in names if each in parameters), chosen)
    if name is None:
        return _first_text
    position, default = parameters.get(name, (None, None))

    def find(args: tuple[Any, ...], words: Mapping[str, Any]) -> str:
        if name in words:
            return prompt_text(words[name])
        if position is not None and position < len(args):
            return prompt_text(args[position])
        return prompt_text(default)

    return find


def _parameters(function: Callable[..., Any]) -> dict[str, tuple[int | None, object]]:
    """Return the position (``None``: by keyword only) and default of each parameter."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {
        each.name: (
            place if each.kind in by_position else None,
            None if each.default is inspect.Parameter.empty else each.default,
        )
        for place, each in enumerate(parameters)
        if each.kind not in {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    }


def _first_text(args: tuple[Any, ...], words: Mapping[str, Any]) -> str:
    for value in (*args, *words.values()):
        if isinstance(value, str):
            return value
    return ""
