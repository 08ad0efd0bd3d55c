"""Parts for the index, and snippets from what it finds."""

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_schema.requests import Filters
from stenod.search.language import parse
from stenod.search.snippets import HIGHLIGHT_END, HIGHLIGHT_START
from stenod.search.text import PARTS_TEXT_MAX_CHARS, index_parts, snippet
from stenod.search.words import TOKENISER, fold, tokenise


def shown(text: str, typed: str, width: int = 160) -> str:
    """Return the snippet with its matches in square brackets."""
    cut = snippet(text, parse(typed, Filters()).terms, width)
    return cut.replace(HIGHLIGHT_START, "[").replace(HIGHLIGHT_END, "]")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("plain words, snake_case and dotted.names", ""),
        ("A Capital At each Word", ""),
        ("getUserName", "get user name"),
        ("HTTPServer", "http server"),
        ("parseJSON2Map", "parse json2 json map"),
        ("utf8Decode()", "utf8 utf decode"),
        ("getUserName setUserName getUserName", "get user name set"),
        ("SHOUTING iOS eBay", ""),
        ("toolu_01A09q90qw90lq917835lq9", ""),
        ("aGVsbG8gd29ybGQgSGVsbG8gV29ybGQKaGVsbG8gd29ybGQgSGVsbG8gV29ybGQKaG", ""),
        ("日本語", "日本 本語"),
        ("日本語。日本語", "日本 本語"),
        ("用Python写的", "Python 用 写的"),
        ("한국어를", "한국 국어 어를"),
        ("café", ""),
    ],
)
def test_index_parts(text: str, parts: str) -> None:
    assert index_parts(text) == parts


def test_parts_of_very_long_text_are_those_of_its_beginning() -> None:
    text = "getUserName " + "x " * PARTS_TEXT_MAX_CHARS + " setOtherThing"
    assert index_parts(text) == "get user name"


@given(st.text(max_size=200))
def test_parts_of_any_text_are_few(text: str) -> None:
    assert len(index_parts(text)) <= 8 * len(text) + 8


@pytest.mark.parametrize(
    ("typed", "text", "expected"),
    [
        ("connection", "They connected, twice.", "They [connected], twice."),
        ("relational", "a relation", "a [relation]"),
        ("happy", "happily happy", "happily [happy]"),
        ("queries", "one query", "one [query]"),
        ("running", "it runs", "it [runs]"),
        ("cafe", "das Café", "das [Café]"),
        ("CAFÉ", "a cafe", "a [cafe]"),
        ("refr*", "refreshing", "[refreshing]"),
        ("connecti*", "connection connect", "[connection] connect"),
        ('"exact phrase"', "exact x phrase; exact,  phrase", "exact x phrase; [exact, phrase]"),
        ("foo.bar", "foo bar baz", "[foo bar] baz"),
        ("name", "getUserName username", "getUser[Name] username"),
        ("user", "getUserName username", "get[User]Name username"),
        ("get", "getUserName", "[get]UserName"),
        ("json", "parseJSON2Map", "parse[JSON]2Map"),
        ("getusername", "x.getUserName()", "x.[getUserName]()"),
        ("日本", "今日本当に", "今[日本]当に"),
        ("python", "用Python写", "用[Python]写"),
        ("cat", "concatenate cat", "concatenate [cat]"),
        ("missing", "nothing\n\n  here", "nothing here"),
    ],
)
def test_highlights(typed: str, text: str, expected: str) -> None:
    assert shown(text, typed) == expected


def test_shows_where_most_words_stand_together() -> None:
    text = "token alone. " + "filler " * 100 + "token refresh failed " + "filler " * 100
    cut = shown(text, "token refresh", width=80)
    assert "[token] [refresh] failed" in cut
    assert cut.startswith("…filler")
    assert cut.endswith("filler…")
    assert len(cut) <= 80 + len("……[][]")


def test_shows_the_beginning_without_a_match() -> None:
    cut = shown("word " * 100, "")
    assert cut.startswith("word word")
    assert cut.endswith("word…")


def test_marks_in_the_text_itself_are_taken_out() -> None:
    assert shown(f"a {HIGHLIGHT_START}cat{HIGHLIGHT_END}", "cat") == "a [cat]"


def test_finds_the_only_match_in_a_long_text() -> None:
    text = "the filler " * 90_000 + "needle" + " the end" * 10_000
    assert "[needle]" in shown(text, "needle the")


@pytest.mark.parametrize(
    "text", ["a" * 1_000_000, "ab " * 300_000, "日本" * 400_000, "é " * 400_000]
)
def test_repetition_is_bounded(text: str) -> None:
    """Would take minutes if every place were looked at."""
    assert len(snippet(text, parse('a "a ab" 日本 é', Filters()).terms)) < 500


@given(st.text(max_size=300), st.text(max_size=40))
def test_any_text_gives_a_snippet_with_balanced_marks(text: str, typed: str) -> None:
    query = parse('"' + typed.replace('"', "") + '"', Filters())
    for terms in (query.terms, ()):
        cut = snippet(text, terms)
        depth = 0
        for character in cut:
            depth += (character == HIGHLIGHT_START) - (character == HIGHLIGHT_END)
            assert depth in {0, 1}
        assert depth == 0
        assert len(cut) <= 3 * 160 + 2


letters = st.text("abcdeginorstuyé日本 ._ABC", max_size=30)


@given(letters, st.text("abcdeginorstuyé日本", min_size=1, max_size=4))
def test_what_the_index_finds_is_highlighted(text: str, typed: str) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(
        f"CREATE VIRTUAL TABLE t USING fts5 (body, parts, tokenize = '{' '.join(TOKENISER)}')"
    )
    connection.execute("INSERT INTO t VALUES (?, ?)", (text, index_parts(text)))
    match = parse(typed, Filters()).match
    if connection.execute("SELECT 1 FROM t WHERE t MATCH ?", (match,)).get:
        assert "[" in shown(text, typed)


@given(st.text())
def test_folding_keeps_every_character_at_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)


def test_tokens_are_those_of_the_index() -> None:
    assert tokenise("The Cafés, getUserName 東京") == ["the", "cafe", "getusernam", "東京"]
