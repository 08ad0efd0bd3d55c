"""Texts on their way into the index: what is searchable beside the words themselves."""

import re
import string

from stenod.search.snippets import Term, snippet
from stenod.search.words import CJK_RUN, PIECE, WORD, bigrams

__all__ = ["Term", "index_parts", "snippet"]

PARTS_TEXT_MAX_CHARS = 262_144
"""Of a longer text only the beginning gives parts; its words are searchable to the end."""

_IDENTIFIER_MAX_CHARS = 64
_PIECE_MIN_LETTERS = 2.5
"""On average; encoded data changes case and kind more often than a name does."""
_ALPHANUMERIC = string.ascii_letters + string.digits
_HUMP = re.compile(r"[A-Z](?:(?<=[a-z0-9][A-Z])|(?<=[A-Z][A-Z])(?=[a-z]))")
"""A capital that begins a piece inside a word; capitals are what the scan stops at."""
_REST = re.compile(r"[A-Za-z0-9]*")


def index_parts(text: str) -> str:
    """Return the words to index beside the text itself, in lower case, separated by spaces.

    These are the pieces of camelCase identifiers, and for CJK runs their overlapping pairs of
    characters in their order, with the words that touch such a run. Each piece and each run
    counts once, so that repetition costs nothing.

    >>> index_parts("getUserName parseJSON2Map 東京都")
    'get user name parse json2 json map 東京 京都'
    """
    if len(text) > PARTS_TEXT_MAX_CHARS:
        text = text[:PARTS_TEXT_MAX_CHARS]
    parts = _camel_parts(text)
    if not text.isascii():
        parts += _cjk_parts(text)
    return " ".join(parts)


def _camel_parts(text: str) -> list[str]:
    parts: dict[str, None] = {}
    seen: set[str] = set()
    end = 0
    while (hump := _HUMP.search(text, end)) is not None:
        end = _end_of_word(text, hump.start())
        identifier = text[_start_of_word(text, hump.start()) : end]
        if identifier not in seen:
            seen.add(identifier)
            parts.update(dict.fromkeys(_pieces(identifier)))
    return list(parts)


def _pieces(identifier: str) -> list[str]:
    """Return an identifier's pieces; one that ends in digits also without them."""
    if len(identifier) > _IDENTIFIER_MAX_CHARS:
        return []
    matches: list[tuple[str, str, str]] = PIECE.findall(identifier)
    if sum(len(letters) for _, letters, _ in matches) < _PIECE_MIN_LETTERS * len(matches):
        return []
    pieces: list[str] = []
    for whole, letters, digits in matches:
        pieces += [whole, letters] if letters and digits else [whole]
    return [piece.lower() for piece in pieces if len(piece) > 1]


def _cjk_parts(text: str) -> list[str]:
    parts: list[str] = []
    seen: set[str] = set()
    for match in CJK_RUN.finditer(text):
        run = match.group()
        for word in _neighbours(text, *match.span()):
            if word not in seen:
                seen.add(word)
                parts.append(word)
        if run not in seen:
            seen.add(run)
            parts += bigrams(run) or [run]
    return parts


def _neighbours(text: str, start: int, end: int) -> list[str]:
    """Return the words that touch the CJK run at [start, end): to the index all one token."""
    words: list[str] = []
    if start and WORD.match(text[start - 1]):
        before = text[max(0, start - _IDENTIFIER_MAX_CHARS) : start]
        words.append(WORD.findall(CJK_RUN.sub(" ", before))[-1])
    after = WORD.match(text, end, end + _IDENTIFIER_MAX_CHARS)
    if after is not None:
        words.append(CJK_RUN.split(after.group(), 1)[0])
    return words


def _start_of_word(text: str, position: int) -> int:
    first = max(0, position - _IDENTIFIER_MAX_CHARS - 1)
    return first + len(text[first:position].rstrip(_ALPHANUMERIC))


def _end_of_word(text: str, position: int) -> int:
    match = _REST.match(text, position)
    return match.end() if match else position
