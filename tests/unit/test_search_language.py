"""The query language, asked of a real full-text index."""

from collections.abc import Iterable

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_schema.errors import RequestError
from steno_schema.limits import SEARCH_PREFIXES_MAX, SEARCH_TERMS_MAX, SEARCH_TEXT_MAX_BYTES
from steno_schema.requests import Filters
from stenod.search.language import Query, parse
from stenod.search.text import index_parts
from stenod.search.words import TOKENISER


class Index:
    """A small index as the daemon has it."""

    def __init__(self, texts: Iterable[str], tags: str = "") -> None:
        self.connection = apsw.Connection(":memory:")
        self.connection.execute(
            "CREATE VIRTUAL TABLE t USING fts5 (body, parts, tags, content = '',"
            f" contentless_delete = 1, tokenize = '{' '.join(TOKENISER)}', prefix = '3')"
        )
        for number, text in enumerate(texts):
            self.connection.execute(
                "INSERT INTO t (rowid, body, parts, tags) VALUES (?, ?, ?, ?)",
                (number, text, index_parts(text), tags),
            )

    def ask(self, expression: str) -> list[int]:
        rows = self.connection.execute(
            "SELECT rowid FROM t WHERE t MATCH ? ORDER BY rowid", (expression,)
        )
        return [row[0] for row in rows]

    def found(self, typed: str) -> list[int]:
        match = parse(typed, Filters()).match
        return self.ask(match) if match is not None else []


def finds(typed: str, text: str) -> bool:
    return Index([text]).found(typed) == [0]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("token refresh", "Refresh the tokens"),
        ("connection", "connected"),
        ("cafe", "Ein Café"),
        ("CAFÉ", "cafe"),
        ('"exact phrase"', "an exact, phrase"),
        ('"unclosed phrase', "an unclosed phrase"),
        ("refr*", "refreshing"),
        ("connecti*", "connection"),
        ("migratio*", "many migrations"),
        ("authent*", "authenticated"),
        ("a_b", "x a_b y"),
        ("foo.bar", "call foo.bar()"),
        ("path/to/file.py", "see path/to/file.py:12"),
        ("x-y", "x-y"),
        ("C++", "in C++ code"),
        ("getUserName", "fn getUserName()"),
        ("getusername", "fn getUserName()"),
        ("user name", "fn getUserName()"),
        ("json map", "parseJSON2Map"),
        ("json2", "parseJSON2Map"),
        ("server", "HTTPServer"),
        ("user_name", "self.user_name = 1"),
        ("name", "self.user_name = 1"),
        ("日本", "今日本当に日本語を話す"),
        ("本語を", "今日本当に日本語を話す"),
        ("日本語を話す", "日本語を話す人"),
        ("東", "東京都"),
        ("한국", "한국어를 배운다"),
        ("カタカナ", "これはカタカナです"),
        ("python", "用Python写的"),
        ("用Python写", "用Python写的"),
        ("中文 cache", "中文的 cache"),
        ("a OR b", "b"),
        ("zebra OR lion tiger", "lion tiger"),
        ("or", "this or that"),
        ("OR", "this or that"),
        ("AND NOT NEAR", "and not near"),
        ("don't", "don't"),
        ("unknown:thing", "unknown: thing"),
        ("https://example.org/a", "see https://example.org/a"),
        ("tag: x", "tag x"),
        ("--flag", "use --flag"),
        ("5-3", "5-3"),
    ],
)
def test_finds(typed: str, text: str) -> None:
    assert finds(typed, text)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("token refresh", "token only"),
        ('"phrase exact"', "an exact phrase"),
        ("token -flaky", "token flaky"),
        ('token -"very flaky"', "token very flaky"),
        ("token -fla*", "token flaky"),
        ("日語", "日本語"),
        ("日本話", "日本語を話す"),
        ("zebra OR lion tiger", "lion"),
        ("a_b", "b a"),
        ("pre*fix", "prefix"),
    ],
)
def test_does_not_find(typed: str, text: str) -> None:
    assert not finds(typed, text)


def test_negation_takes_away_and_leaves_the_rest() -> None:
    index = Index(["token one", "token two flaky", "token three 不安定"])
    assert index.found("token -flaky -不安定") == [0]
    assert index.found('token -"three"') == [0, 1]


def test_only_negative_words_give_what_to_exclude() -> None:
    query = parse('-flaky -"two words"', Filters())
    assert query.match is None
    assert query.excluded is not None
    assert Index(["flaky", "two words", "words two"]).ask(query.excluded) == [0, 1]
    assert not query.only_punctuation


def test_tags_are_found_too() -> None:
    assert Index(["body"], tags="auth 認証").found("auth 認証") == [0]


def test_filter_words_are_merged_into_the_filters() -> None:
    given_filters = Filters(agent=["codex"], since="30d", min_rating=1)
    query = parse(
        'fix agent:pi Tag:auth tag:"two words" since:7d until:today rating:>=4 cost:$0.5 role:user'
        " model:m framework:f session:s conversation:c user:u category:api complexity:simple"
        " stage:testing origin:human project:/home/ada/x",
        given_filters,
    )
    assert query.filters == Filters(
        agent=["codex", "pi"],
        tag=["auth", "two words"],
        since="7d",
        until="today",
        min_rating=4,
        min_cost=0.5,
        role=["user"],
        model=["m"],
        framework=["f"],
        session=["s"],
        conversation=["c"],
        user=["u"],
        category=["api"],
        complexity=["simple"],
        stage=["testing"],
        origin=["human"],
        project=["/home/ada/x"],
    )
    assert query.match == '"fix"'
    assert given_filters == Filters(agent=["codex"], since="30d", min_rating=1)


def test_filter_words_alone_are_a_question_without_a_match() -> None:
    query = parse("tag:auth", Filters())
    assert (query.match, query.is_empty, query.only_punctuation) == (None, False, False)


@pytest.mark.parametrize("value", ["high", "nan", "1e999", "--"])
def test_a_number_that_cannot_be_read_is_refused(value: str) -> None:
    with pytest.raises(RequestError, match="is no number for rating; write rating:4"):
        parse(f"rating:{value}", Filters())


@pytest.mark.parametrize("typed", ["", "   ", "\t\n"])
def test_nothing_typed_is_empty(typed: str) -> None:
    query = parse(typed, Filters())
    assert (query.match, query.is_empty, query.only_punctuation) == (None, True, False)


@pytest.mark.parametrize("typed", ["?!", '"', '""', "-", "- -- *", "()", "\x00", "…", "🙂"])
def test_punctuation_only_is_said_so(typed: str) -> None:
    query = parse(typed, Filters())
    assert (query.match, query.is_empty, query.only_punctuation) == (None, False, True)


def test_words_and_phrases_share_one_budget() -> None:
    words = " ".join(f"w{n}" for n in range(SEARCH_TERMS_MAX + 1))
    for typed in (words, f'"{words}"', "日" * (SEARCH_TERMS_MAX + 2)):
        query = parse(typed, Filters())
        assert query.dropped
        assert query.match is not None
    assert not parse(" ".join(words.split()[:SEARCH_TERMS_MAX]), Filters()).dropped


def test_prefixes_are_few_and_long_enough() -> None:
    query = parse(" ".join(f"pr{n}*" for n in range(SEARCH_PREFIXES_MAX + 1)), Filters())
    assert query.dropped
    assert query.match is not None
    assert query.match.count("*") == SEARCH_PREFIXES_MAX
    assert parse("a*", Filters()).match == '"a"'


def test_text_that_is_too_long_is_refused_in_one_sentence() -> None:
    with pytest.raises(RequestError, match="has 1026 bytes; 1024 is the most"):
        parse("é" * (SEARCH_TEXT_MAX_BYTES // 2 + 1), Filters())


fragments = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *(
                '"',
                "-",
                "*",
                "OR",
                "AND",
                "NOT",
                "NEAR(",
                ")",
                "(",
                ":",
                "tag:",
                "parts:",
                "^",
                "+",
            ),
            *(
                "{body}",
                "getUserName",
                "日本語",
                "한국어",
                "\x00",
                "\ud800",
                "\u0301",
                "user:x",
                "''",
            ),
        ]
    ),
)


@given(st.lists(fragments, max_size=12), st.sampled_from(["", " "]))
def test_whatever_is_typed_is_a_valid_question(typed: list[str], between: str) -> None:
    query = parse(between.join(typed), Filters())
    index = Index(["some text"])
    for expression in (query.match, query.excluded):
        if expression is not None:
            index.ask(expression)
    assert not (query.match and query.excluded)


common = st.one_of(
    st.characters(max_codepoint=0x52F, exclude_categories=["Cn"]),
    st.sampled_from("東京都日本語ひらがなカタカナー한국어ﾊ々〆。、「」…\u3000\u200b"),
)
"""Latin, Greek, Cyrillic and CJK; of newer characters SQLite and Python know different ones."""


@given(st.text(common, max_size=40))
def test_a_text_is_found_by_itself(text: str) -> None:
    """Quoted, so that nothing in it is language; only its quotes are taken out."""
    query = parse('"' + text.replace('"', " ") + '"', Filters())
    if query.match is not None and not query.dropped:
        assert Index([text.replace('"', " ")]).ask(query.match) == [0]


def test_terms_say_what_to_highlight() -> None:
    query: Query = parse('connections "exact phrase" pre* 東京都 -not', Filters())
    assert [(t.tokens, t.prefix, t.characters) for t in query.terms] == [
        (("connect",), False, ""),
        (("exact", "phrase"), False, ""),
        (("pre",), True, ""),
        ((), False, "東京都"),
    ]
