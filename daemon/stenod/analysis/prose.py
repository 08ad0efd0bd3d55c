"""What a person wrote, apart from what was pasted: code, output, and what an agent put around it.

Words of prose say what is asked for. Code, paths and logs say little about it ("database" in a
stack trace is no request for one), so they are taken out first and only their presence is told.
"""

import re

from msgspec import Struct

FENCE = "```"
CODE = " ` "
"""Stands in prose where inline code stood, so that the words around it do not become neighbours."""
LINE_END = " .\n"
"""Ends a line where lines are joined: a request may begin after it."""
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_AFTER = ("## my request for codex:", "[[ ## user_query ## ]]", "# question:")
"""What agents write before the words of the person."""
_BEFORE = ("--- content from referenced files", "# relevant docs:", "<environment_details>")
"""What agents write after them."""
_TAGGED = re.compile(
    r"<(system-reminder|environment_context|ide_[a-z]+)>.*?</\1>|</?(task|feedback|user_query)>",
    re.DOTALL,
)
_LIST_ITEM = re.compile(r"[ \t]*+(?:[-*•]|[0-9]{1,2}[.)])[ \t]")
_OUTPUT_LINE = re.compile(
    r"\s*+(?:at [\w.$<>]++\(|file \"|traceback \(|caused by: |warning: |error(?:\[\w++\])?: |e\s{2,}"
    r"|>\s{2,}|\$ |❯ |diff --git |@@ |\d++ ?[|│█]|[│┃└├|╭╰⨯•✗✘▶]"
    r"|[\[(]?\d{4}-\d\d-\d\d[t ]\d\d:|\d\d:\d\d:\d\d|\w++(?:\.\w++)*(?:error|exception)\b)"
)
"""How lines begin that a program wrote, in lower case."""
_PASTED_ERROR = re.compile(
    r"[a-z_](?:error|exception)\b|traceback|(?:error|exception)[ \w]{0,20}:|(?:fatal|panic|failed):"
)


class Prompt(Struct, frozen=True):
    """The beginning of a prompt, in lower case, taken apart."""

    prose: str
    files: list[str]
    """Endings of the files it names and languages of its code blocks, without dots."""
    list_items: int
    pasted_lines: int
    """Lines of code and of programs' output."""
    has_error: bool
    """Whether an error was pasted."""


def take_apart(text: str) -> Prompt:
    """Take a prompt apart; ``text`` is in lower case."""
    files: list[str] = []
    items = pasted = 0
    has_error = False
    if "#" in text or "<" in text or "---" in text:
        text = _own_words(text)
    if FENCE in text:
        text, blocks = split_code(text)
        files += [block.partition("\n")[0].strip() for block in blocks]
        pasted = sum(block.count("\n") for block in blocks)
    if "\n" in text:
        text, items, output = _lines(text)
        pasted += len(output)
        has_error = any(_PASTED_ERROR.search(line) is not None for line in output)
    if not has_error and ("error" in text or "exception" in text or "traceback" in text):
        has_error = _PASTED_ERROR.search(text) is not None
    if "test_" in text and _TEST_NAME.search(text) is not None:
        files.append("test_")
    if "`" in text:
        files += _FILE_ENDING.findall(text)
        text = _INLINE_CODE.sub(CODE, text)
    elif "." in text:
        files += _FILE_ENDING.findall(text)
    return Prompt(text, files, items, pasted, has_error)


_TEST_NAME = re.compile(r"(?<![a-z0-9])test_[a-z]")
_FILE_ENDING = re.compile(r"\.([a-z]{2,6})\b(?!\.)")


def split_code(text: str) -> tuple[str, list[str]]:
    """Return the prose of a text, and its blocks of code without their fences."""
    stretches = text.split(FENCE)
    return "\n".join(stretches[::2]), stretches[1::2]


def _own_words(text: str) -> str:
    """Return what the person wrote, without what an agent put before, after and between."""
    for mark in _AFTER:
        _, found, rest = text.rpartition(mark)
        if found:
            text = rest
    for mark in _BEFORE:
        text = text.partition(mark)[0]
    return _TAGGED.sub(" ", text) if "<" in text else text


def _lines(text: str) -> tuple[str, int, list[str]]:
    """Return the lines of prose, how many are items of a list, and the lines of output."""
    prose: list[str] = []
    output: list[str] = []
    items = 0
    for line in text.splitlines():
        if _OUTPUT_LINE.match(line) is not None:
            output.append(line)
        else:
            items += _LIST_ITEM.match(line) is not None
            prose.append(line)
    return LINE_END.join(prose), items, output
