"""``PromptHistory`` does what its names say, exports included."""

import csv
import json
import os
import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from steno.errors import Misuse, Refused, Unreachable
from steno.prompt_history import PromptHistory
from steno.transfer import csvcells
from steno_schema.errors import ErrorCode
from steno_schema.ids import is_id
from steno_schema.limits import PAGE_MAX
from steno_schema.records import Exchange
from steno_schema.replies import Results, SearchResult, Statistics
from steno_schema.requests import Append, Filters, List, Search, Stats
from support.fake_daemon import FakeDaemon


@pytest.fixture
def history(home: Path, daemon: FakeDaemon) -> PromptHistory:
    return PromptHistory(home)


def test_five_lines_are_enough_to_start(
    home: Path, daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    from steno import PromptHistory

    history = PromptHistory(home)
    history.save("Why is the sky blue?", "Rayleigh scattering.", tags=["physics"])
    for found in history.search("sky"):
        print(found.prompt)
    assert capsys.readouterr().out == "Why is the sky blue?\n"


def test_save_returns_the_id_as_text(history: PromptHistory, daemon: FakeDaemon) -> None:
    saved = history.save(
        "p", "o", framework="f", template="t", model="m", tokens=7, cost=0.5, tags=["a"],
        metadata={"k": 1}, timestamp=date(2026, 1, 2),
    )  # fmt: skip
    assert is_id(saved)
    (record,) = daemon.exchanges()
    assert record.tokens is not None
    assert (record.id, record.framework, record.template) == (saved, "f", "t")
    assert (record.tokens.total, record.cost_usd, record.tags) == (7, 0.5, ["a"])
    assert (record.created_at, record.metadata) == ("2026-01-02", {"k": 1})


def test_save_needs_no_daemon(home: Path, spooled: Callable[[], list[Append]]) -> None:
    with PromptHistory(home=home) as history:
        assert is_id(history.save("p"))
        with pytest.raises(Unreachable):
            history.get_recent()
    assert len(spooled()) == 1


@pytest.mark.parametrize(
    ("call", "filters", "limit"),
    [
        (lambda h: h.get_by_tag("a"), Filters(tag=["a"]), 100),
        (
            lambda h: h.get_by_date_range("2026-01-01", date(2026, 1, 31), 5),
            Filters(since="2026-01-01", until="2026-01-31"),
            5,
        ),
        (lambda h: h.get_by_framework("f"), Filters(framework=["f"]), 100),
        (lambda h: h.get_recent(), Filters(), 10),
        (lambda h: h.get_today(), Filters(since="today"), PAGE_MAX),
    ],
)
def test_lists_choose(
    call: Callable[[PromptHistory], object],
    filters: Filters,
    limit: int,
    history: PromptHistory,
    daemon: FakeDaemon,
) -> None:
    call(history)
    (request,) = daemon.of(List)
    assert (request.filters, request.limit) == (filters, limit)


def test_this_week_begins_on_monday(history: PromptHistory, daemon: FakeDaemon) -> None:
    history.get_this_week()
    since = daemon.of(List)[0].filters.since
    assert date.fromisoformat(since).weekday() == 0


def test_lists_and_exports_go_over_all_pages(
    history: PromptHistory, daemon: FakeDaemon, tmp_path: Path
) -> None:
    records = [Exchange(id=str(n), prompt=f"p{n}", created_at="") for n in range(2 * PAGE_MAX + 1)]
    daemon.records = {record.id: record for record in records}
    assert len(history.get_recent(limit=None)) == len(records)
    assert [view.id for view in history.get_recent(3)] == ["2000", "1999", "1998"]
    assert len(history.get_recent(PAGE_MAX + 1)) == PAGE_MAX + 1
    assert history.export_json(tmp_path / "all.json") == len(records)
    assert len(json.loads((tmp_path / "all.json").read_text())) == len(records)


def test_search_skips_and_stops(history: PromptHistory, daemon: FakeDaemon) -> None:
    daemon.records = {str(n): Exchange(id=str(n), prompt=f"p{n}") for n in range(9)}
    assert [found.prompt for found in history.search("p", limit=2, offset=3)] == ["p3", "p4"]
    assert history.search("p", limit=5, offset=20) == []
    daemon.answer(Search, Results(results=[], next_cursor="more"))
    assert history.search("q") == [], "a page without results is the last"


def test_stats_are_passed_on(history: PromptHistory, daemon: FakeDaemon) -> None:
    daemon.answer(Stats, Statistics(totals={"entries": 3}))
    assert history.stats(tag="a").totals == {"entries": 3}
    assert daemon.of(Stats)[0].filters == Filters(tag=["a"])


def test_json_is_what_was_listed(
    history: PromptHistory, daemon: FakeDaemon, tmp_path: Path
) -> None:
    assert history.export_json(tmp_path / "none.json") == 0
    assert json.loads((tmp_path / "none.json").read_text()) == []
    history.save('a\n"b" é', "o", tags=["x", "y"])
    history.save("second", "o")
    assert history.export_json(tmp_path / "two.json") == 2
    second, first = json.loads((tmp_path / "two.json").read_text(encoding="utf-8"))
    assert (first["prompt"], first["tags"], second["prompt"]) == ('a\n"b" é', ["x", "y"], "second")
    assert stat.S_IMODE((tmp_path / "two.json").stat().st_mode) == 0o600


def test_csv_holds_text_and_no_formula(
    history: PromptHistory, daemon: FakeDaemon, tmp_path: Path
) -> None:
    prompts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", 'say "hi",\nthen go', "plain = fine"]
    for prompt in prompts:
        history.save(prompt, tags=["=tag", "b"], metadata={"k": [1]}, tokens=3)
    assert history.export_csv(tmp_path / "all.csv") == len(prompts)
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::-1]
    assert [csvcells.read(row["prompt"]) for row in rows] == prompts
    guarded = [row["prompt"].startswith(("'", '"')) for row in rows]
    assert guarded == [True] * 6 + [False] * 2
    assert rows[0]["tags"] == "'=tag,b"
    assert json.loads(rows[0]["metadata"]) == {"k": [1]}
    assert rows[0]["rating"] == ""


def test_an_export_replaces_only_when_told(history: PromptHistory, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("mine")
    with pytest.raises(Misuse, match="exists"):
        history.export_csv(target)
    assert target.read_text() == "mine"
    history.export_csv(target, overwrite=True)
    assert target.read_text().startswith("id,created_at,agent")
    assert os.listdir(tmp_path) == ["out.csv"]


def test_an_export_that_fails_leaves_what_was_there(
    history: PromptHistory, daemon: FakeDaemon, tmp_path: Path
) -> None:
    target = tmp_path / "out.json"
    history.save("one")
    daemon.refuse(ErrorCode.INTERNAL)
    with pytest.raises(Refused):
        history.export_json(target)
    assert os.listdir(tmp_path) == []
    target.write_text("mine")
    daemon.refuse(ErrorCode.INTERNAL)
    with pytest.raises(Refused):
        history.export_json(target, overwrite=True)
    assert target.read_text() == "mine"
    assert os.listdir(tmp_path) == ["out.json"]


def test_an_export_does_not_follow_links_nor_make_folders(
    history: PromptHistory, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(Misuse, match="is a link"):
        history.export_json(tmp_path / "link")
    (tmp_path / "target").write_text("mine")
    with pytest.raises(Misuse, match="is a link"):
        history.export_json(tmp_path / "link", overwrite=True)
    assert (tmp_path / "target").read_text() == "mine"
    with pytest.raises(Misuse, match="cannot be written: No such file"):
        history.export_json(tmp_path / "none" / "out.json", overwrite=True)


def test_db_path_names_the_folder_of_a_private_instance(home: Path, daemon: FakeDaemon) -> None:
    (home / "steno.db").touch()
    assert PromptHistory(home / "steno.db").get_recent() == []
    (home / "other.db").touch()
    with pytest.raises(Misuse, match="is a file"):
        PromptHistory(home / "other.db")
    with pytest.raises(Misuse, match="either"):
        PromptHistory(home, home=home)


def test_results_are_typed(history: PromptHistory) -> None:
    history.save("typed")
    assert all(isinstance(found, SearchResult) for found in history.search("typed"))
