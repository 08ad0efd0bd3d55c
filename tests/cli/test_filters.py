"""The filter flags, and what is wrong use of them."""

from pathlib import Path

import pytest

from steno.cli.command import Parser, WrongUse
from steno.cli.filters import add_filters, filters_from, is_empty, this_monday
from steno_schema.requests import Filters


def parse(*words: str) -> Filters:
    parser = Parser(prog="steno x", allow_abbrev=False)
    add_filters(parser)
    return filters_from(parser.parse_args(list(words)))


def test_every_flag_reaches_its_field() -> None:
    filters = parse(
        *("--since", "7d", "--until", "yesterday", "--tag", "a", "--tag", "b", "--model", "m"),
        *("--framework", "f", "--agent", "codex", "--project", "/p/", "--session", "s"),
        *("--conversation", "c", "--user", "u", "--role", "tool", "--category", "api"),
        *("--complexity", "simple", "--stage", "testing", "--rating", "7", "--min-cost", "0.5"),
    )
    assert filters == Filters(
        since="7d",
        until="yesterday",
        tag=["a", "b"],
        model=["m"],
        framework=["f"],
        agent=["codex"],
        project=["/p"],
        session=["s"],
        conversation=["c"],
        user=["u"],
        role=["tool"],
        category=["api"],
        complexity=["simple"],
        stage=["testing"],
        min_rating=7.0,
        min_cost=0.5,
    )


def test_nothing_given_is_empty() -> None:
    assert is_empty(parse())
    assert not is_empty(parse("--today"))


def test_today_and_week() -> None:
    assert parse("--today").since == "today"
    assert parse("--week").since == this_monday()


def test_a_point_is_the_project_of_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    below = tmp_path / "src"
    below.mkdir()
    monkeypatch.chdir(below)
    assert parse("--project", ".").project == [str(tmp_path)]
    assert parse("--project", "..").project == [str(tmp_path)]
    assert parse("--project", "./a").project == [str(below / "a")]
    assert parse("--project", "name").project == ["name"]


@pytest.mark.parametrize(
    "words",
    [
        ("--today", "--week"),
        ("--today", "--since", "7d"),
        ("--role", "robot"),
        ("--rating", "many"),
        ("--rating", "nan"),
        ("--limit", "0"),
        ("--limit", "-1"),
        ("--limit", "x"),
        ("--proj", "x"),
        ("--tag", ""),
        ("--project", " "),
    ],
)
def test_wrong_use(words: tuple[str, ...]) -> None:
    with pytest.raises(WrongUse) as raised:
        parse(*words)
    assert "\n" not in str(raised.value)
    assert raised.value.hint
