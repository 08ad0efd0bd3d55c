"""The form in which prompts are tracked and compared: the same for who sends and who stores."""

import unicodedata

from steno_schema.limits import CAPTURED_TEXT_MAX_CHARS

COMPOSED_MAX_CHARS = 4096
"""Of a longer text characters stay as they came: composing some takes time squared."""
_CUT = " […]"


def normalised(text: str) -> str:
    """Return a prompt with composed characters and plain line ends, without the space around it.

    What stands inside of a line is left as it is: it may be code.

    >>> normalised("  Why is \\r\\nthe sky blue?  ")
    'Why is\\nthe sky blue?'
    """
    text = shortened(text).strip()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if " \n" in text or "\t\n" in text:
        text = "\n".join([line.rstrip() for line in text.split("\n")])
    if len(text) <= COMPOSED_MAX_CHARS and not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text


def shortened(text: str) -> str:
    """Return at most ``CAPTURED_TEXT_MAX_CHARS`` characters of a text."""
    if len(text) <= CAPTURED_TEXT_MAX_CHARS:
        return text
    return text[: CAPTURED_TEXT_MAX_CHARS - len(_CUT)] + _CUT
