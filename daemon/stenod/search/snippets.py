"""Snippets: the stretch of a text that shows best why it was found."""

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from stenod.search.words import CJK_RUN, PIECE, WORD, fold, tokenise

HIGHLIGHT_START = "\ue000"
HIGHLIGHT_END = "\ue001"
CUT = "…"

_SEARCHED_MAX_CHARS = 262_144
"""Of text that is not plain ASCII; folding it takes its time."""
_CANDIDATES_MAX = 500
_OCCURRENCES_MAX = 100
_WORD_MAX_CHARS = 200
_GAP_MAX_CHARS = 40
"""Between two words of a phrase."""
_MARKS = str.maketrans("", "", HIGHLIGHT_START + HIGHLIGHT_END)


class Term(Struct, frozen=True):
    """What a text was searched for.

    ``tokens``: words as the index has them, one behind the other; with ``prefix`` the last one
    may go on. ``characters``: a run of CJK characters, wherever it stands.
    """

    tokens: tuple[str, ...] = ()
    prefix: bool = False
    characters: str = ""


class _Occurrence(Struct, frozen=True, order=True):
    start: int
    end: int
    term: int


def snippet(text: str, terms: Sequence[Term], width: int = 160) -> str:
    """Return about ``width`` characters of ``text`` around the most telling matches of ``terms``.

    White space is collapsed, "…" stands where text was cut off, and each match stands between
    U+E000 and U+E001, which are taken out of the text itself. Without a match it is the beginning.
    """
    if HIGHLIGHT_START in text or HIGHLIGHT_END in text:
        text = text.translate(_MARKS)
    folded = fold(text if text.isascii() else text[:_SEARCHED_MAX_CHARS]) if terms else ""
    start, end = _cluster(_occurrences(text, folded, terms, (0, len(folded))), width)
    low, high = _cut(text, start, end, width)
    shown = _marked(text, _occurrences(text, folded, terms, (low, high)), low, high)
    before = CUT if text[:low].strip() else ""
    after = CUT if text[high : high + 1000].strip() else ""
    return before + " ".join(shown.split()) + after


def _occurrences(
    text: str, folded: str, terms: Sequence[Term], bounds: tuple[int, int]
) -> list[_Occurrence]:
    """Return matches that begin within ``bounds``, in order, of each term the first few."""
    found: list[_Occurrence] = []
    for number, term in enumerate(terms):
        count = 0
        for start in _candidates(folded, term, bounds):
            end = _end_of_match(text, start, term)
            if end is not None:
                found.append(_Occurrence(start, end, number))
                count += 1
                if count == _OCCURRENCES_MAX:
                    break
    return sorted(found)


def _candidates(folded: str, term: Term, bounds: tuple[int, int]) -> Iterator[int]:
    """Yield places where the term may stand: a stem is what its words begin with.

    The one exception is a last ``y``, which stemming makes an ``i``.
    """
    anchor = term.characters or term.tokens[0]
    if not term.characters and len(anchor) > 2:
        anchor = anchor.removesuffix("i")
    position = folded.find(anchor, *bounds)
    for _ in range(_CANDIDATES_MAX):
        if position < 0:
            return
        yield position
        position = folded.find(anchor, position + 1, bounds[1])


def _end_of_match(text: str, start: int, term: Term) -> int | None:
    """Return where the term ends that begins at ``start``, or None if it does not stand there."""
    if term.characters:
        return start + len(term.characters)
    last = len(term.tokens) - 1
    end = _end_of_word(text, start, term.tokens[0], term.prefix and last == 0)
    for number, token in enumerate(term.tokens[1:], start=1):
        if end is None:
            return None
        word = WORD.search(text, end, end + _GAP_MAX_CHARS)
        if word is None:
            return None
        end = _end_of_word(text, word.start(), token, term.prefix and number == last)
    return end


def _end_of_word(text: str, start: int, token: str, prefix: bool) -> int | None:
    """Return the end of the word, or of the piece of a word, at ``start`` if it is ``token``."""
    inside = start > 0 and WORD.match(text[start - 1]) is not None
    if inside and not _is_piece_start(text, start):
        return None
    for word in _readings(text, start, inside):
        if fold(word).startswith(token) if prefix else tokenise(word) == [token]:
            return start + len(word)
    return None


def _readings(text: str, start: int, inside: bool) -> Iterator[str]:
    """Yield the words that may begin at ``start``, from the longest to the letters of a piece."""
    word = WORD.match(text, start, start + _WORD_MAX_CHARS)
    if word is not None:
        if not inside:
            yield word.group()
        yield CJK_RUN.split(word.group(), 1)[0]
    piece = PIECE.match(text, start, start + _WORD_MAX_CHARS)
    if piece is not None:
        yield piece.group()
        if piece.group(2):
            yield piece.group(2)


def _is_piece_start(text: str, start: int) -> bool:
    before, first = text[start - 1], text[start]
    if first.isupper():
        return not before.isupper() or text[start + 1 : start + 2].islower()
    return CJK_RUN.match(before) is not None


def _cluster(occurrences: list[_Occurrence], width: int) -> tuple[int, int]:
    """Return the stretch of at most ``width`` with most different terms, then most matches.

    A term counts the more the rarer it is in this text.
    """
    counts = Counter(occurrence.term for occurrence in occurrences)
    start = occurrences[0].start if occurrences else 0
    best = (start, start)
    best_score = (0.0, 0)
    for index, first in enumerate(occurrences):
        terms: set[int] = set()
        count = 0
        end = first.end
        for other in occurrences[index:]:
            if other.end - first.start > width:
                break
            terms.add(other.term)
            count += 1
            end = max(end, other.end)
        score = (sum(1 + 1 / counts[term] for term in terms), count)
        if score > best_score:
            best, best_score = (first.start, end), score
    return best


def _cut(text: str, start: int, end: int, width: int) -> tuple[int, int]:
    """Return ``width`` characters around [start, end), cut between words where that is near."""
    low = max(0, start - max(0, width - (end - start)) // 3)
    high = min(len(text), low + width)
    low = max(0, min(low, high - width))
    if low:
        low = _next_space(text, low, start)
    if high < len(text):
        space = max(text.rfind(" ", end, high), text.rfind("\n", end, high))
        high = space if space > low else high
    return low, high


def _next_space(text: str, low: int, start: int) -> int:
    spaces = [p for p in (text.find(" ", low, start), text.find("\n", low, start)) if p >= 0]
    return min(spaces, default=low)


def _marked(text: str, occurrences: list[_Occurrence], low: int, high: int) -> str:
    pieces: list[str] = []
    position = low
    for occurrence in occurrences:
        start, end = max(occurrence.start, position), min(occurrence.end, high)
        if start < end:
            pieces += (text[position:start], HIGHLIGHT_START, text[start:end], HIGHLIGHT_END)
            position = end
    pieces.append(text[position:high])
    return "".join(pieces)
