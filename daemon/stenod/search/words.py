"""Words as the full-text index has them: SQLite's own tokeniser, and runs of CJK characters."""

import re
import threading
import unicodedata

import apsw

TOKENISER = ("porter", "unicode61", "remove_diacritics", "2")
"""As in the definition of ``message_index``."""

_CJK_CLASS = (
    "\u1100-\u11ff\u3005-\u3007\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3105-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c"
    "\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9d\uffa0-\uffdc\U00020000-\U0003134f"
)
CJK_RUN = re.compile(f"[{_CJK_CLASS}]+")
"""A run of Han, Hiragana, Katakana or Hangul: written without spaces between words."""

PIECE = re.compile(r"(([A-Z]+(?![a-z])|[A-Z]?[a-z]+)([0-9]*)|[0-9]+)")
"""A piece of a camelCase identifier (1): its letters (2) and the digits behind them (3)."""

WORD = re.compile(r"(?:[^\W_]|[\u0300-\u0331\ue000-\uf8ff\U000f0000-\U0010ffff])+")
"""What makes one token: letters and digits, combining marks, private characters."""

_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_local = threading.local()


def tokenise(text: str) -> list[str]:
    """Return the tokens that the index makes of ``text``: folded, stemmed, in order."""
    tokens = _tokeniser()(
        text.encode("utf-8", "replace"),
        apsw.FTS5_TOKENIZE_QUERY,
        None,
        include_offsets=False,
        include_colocated=False,
    )
    return [token for token in tokens if isinstance(token, str)]


def bigrams(run: str) -> list[str]:
    """Return the overlapping pairs of a run, in order.

    >>> bigrams("東京都")
    ['東京', '京都']
    """
    return [run[i : i + 2] for i in range(len(run) - 1)]


def fold(text: str) -> str:
    """Return ``text`` in lower case without diacritics, every character at its place."""
    if text.isascii():
        return text.lower()
    return _NON_ASCII.sub(lambda run: run.group().translate(_BASE), text).lower()


class _Base(dict[int, int]):
    """The base letter of each character, in lower case; learned as they come."""

    def __missing__(self, code: int) -> int:
        base = unicodedata.normalize("NFD", chr(code))[0].lower()
        if CJK_RUN.match(chr(code)) or len(base) != 1:
            base = chr(code)
        self[code] = ord(base)
        return self[code]


_BASE = _Base()


def _tokeniser() -> apsw.FTS5Tokenizer:
    """Return this thread's tokeniser; it belongs to a connection, but touches no database."""
    known: apsw.FTS5Tokenizer | None = getattr(_local, "tokeniser", None)
    if known is None:
        _local.connection = apsw.Connection(":memory:")
        known = _local.connection.fts5_tokenizer(TOKENISER[0], list(TOKENISER[1:]))
        _local.tokeniser = known
    return known
