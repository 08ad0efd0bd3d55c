"""Likeness of prompts by their words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno.similar import by_likeness, query_of
from steno_schema.limits import SEARCH_TEXT_MAX_BYTES
from steno_schema.replies import SearchResult


def result(prompt: str, number: int = 0) -> SearchResult:
    fields: dict[str, Any] = dict.fromkeys(("conversation_id", "session_id", "agent", "project"))
    return SearchResult(
        id=str(number),
        message_id=str(number),
        role="user",
        created_at="2026-01-02T03:04:05.000Z",
        snippet="",
        score=9.0,
        prompt=prompt,
        number=number,
        **fields,
    )


def ranked(text: str, *prompts: str) -> list[str]:
    return [found.prompt for found in by_likeness(text, [result(prompt) for prompt in prompts])]


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    common = [f"common word{n}" for n in range(9)]
    assert ranked("rare common", *common, "rare thing")[0] == "rare thing"


def test_more_words_in_common_are_more_alike() -> None:
    prompts = ("a b c d", "a b c x", "a x y z", "p q r s")
    assert ranked("d c b a", *reversed(prompts)) == ["a b c d", "a b c x", "a x y z"]


def test_of_two_alike_the_newer_comes_first() -> None:
    found = by_likeness("a", [result("a", 1), result("A!", 2)])
    assert [(each.number, each.score) for each in found] == [(2, 1.0), (1, 1.0)]


def test_text_without_blanks_is_compared_by_neighbours() -> None:
    assert ranked("日本語の文", "日本の文", "英語") == ["日本の文"]


@pytest.mark.parametrize("text", ["", "?!", "___", " \n"])
def test_text_without_a_word_asks_nothing(text: str) -> None:
    assert query_of(text) == ""


@given(st.text())
def test_a_query_is_of_quoted_words_and_short_enough(text: str) -> None:
    query = query_of(text)
    assert len(query.encode()) <= SEARCH_TEXT_MAX_BYTES
    assert all(part[0] == part[-1] == '"' for part in query.split(" OR ") if query)


@given(st.lists(st.text(min_size=1), max_size=5), st.text(min_size=1))
def test_likeness_is_a_share(prompts: list[str], text: str) -> None:
    found = by_likeness(text, [result(prompt) for prompt in prompts])
    assert all(0 < each.score <= 1 for each in found)
