"""``track_prompt(text)``: what is recorded, what the guards keep out, what counts as a duplicate."""

import subprocess
import sys
from pathlib import Path

import pytest

from steno import track_prompt
from steno_schema.ids import is_id
from support.running import RunningDaemon
from support.tracked import Tracked

PROMPT = "Create a database table for the orders"


def test_a_prompt_is_recorded_and_its_id_returned(tracked: Tracked, work: Path) -> None:
    record_id = track_prompt(PROMPT)
    assert record_id is not None
    assert is_id(record_id)
    row = tracked.one()
    assert (row["uid"], row["prompt"], row["output"]) == (record_id, PROMPT, "")
    assert row["response_time_estimate"] is None
    assert row["session_id"].startswith("python-")
    assert tracked.sql("SELECT project FROM exchange") == [[str(work)]]


def test_context_fills_fields_and_the_rest_goes_into_metadata(tracked: Tracked) -> None:
    track_prompt(
        PROMPT,
        output="Done.",
        model="m-1",
        tokens={"input": 3, "output": 4},
        cost=0.5,
        tags="sql, orders",
        session="s-1",
        current_file="app.py",
        metadata={"kept": True},
        attempt=2,
        handle=object(),
    )
    row = tracked.one()
    assert (row["output"], row["model"], row["tokens"], row["cost"]) == ("Done.", "m-1", 7, 0.5)
    assert (row["session_id"], row["current_file"]) == ("s-1", "app.py")
    assert row["tags"].split(",") == ["auto", "database", "orders", "sql"]
    assert row["metadata"] == {"kept": True, "attempt": 2, "handle": "<object>"}


@pytest.mark.parametrize("text", ["Hi", "    four   \n", "", "1234"])
def test_what_is_too_short_is_not_recorded(tracked: Tracked, text: str) -> None:
    assert track_prompt(text) is None
    assert tracked.prompts() == []


def test_the_minimum_length_can_be_set(tracked: Tracked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STENO_MIN_LENGTH", "2")
    tracked.again()
    assert track_prompt("H") is None
    assert track_prompt("Hi") is not None
    assert tracked.prompts() == ["Hi"]


def test_a_call_can_be_kept_out(tracked: Tracked) -> None:
    assert track_prompt(PROMPT, private=True) is None
    assert track_prompt(PROMPT, enabled=False) is None
    assert tracked.prompts() == []


def test_everything_can_be_kept_out(tracked: Tracked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STENO_ENABLED", "false")
    tracked.again()
    assert track_prompt(PROMPT) is None
    assert tracked.prompts() == []


def test_a_project_stays_out_from_when_it_says_so(tracked: Tracked, work: Path) -> None:
    assert track_prompt(PROMPT) is not None
    (work / ".stenoignore").touch()
    assert track_prompt("Another prompt, a moment later") is None
    assert tracked.prompts() == [PROMPT]


def test_the_file_at_the_root_of_a_project_counts_below_it(
    tracked: Tracked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "project" / "deep" / "inside"
    inner.mkdir(parents=True)
    (tmp_path / "project" / ".git").mkdir()
    (tmp_path / "project" / ".stenoignore").touch()
    assert track_prompt(PROMPT, project=str(tmp_path / "project")) is None
    monkeypatch.chdir(inner)
    assert track_prompt(PROMPT) is None
    assert tracked.prompts() == []


def test_a_pattern_in_the_configuration_keeps_projects_out(tracked: Tracked, work: Path) -> None:
    (tracked.daemon.home / "config.toml").write_text(f'[capture]\nignore = ["{work.parent}/*"]\n')
    tracked.again()
    assert track_prompt(PROMPT) is None
    assert tracked.prompts() == []


def test_the_same_prompt_in_a_session_has_the_same_id_and_is_counted(tracked: Tracked) -> None:
    first = track_prompt(PROMPT)
    assert track_prompt(f"  {PROMPT}\r\n") == first
    assert track_prompt(PROMPT, session="another") != first
    assert tracked.prompts() == [PROMPT, PROMPT]
    assert tracked.sightings() == 1


def test_compared_in_composed_form_without_space_at_the_ends_of_lines(tracked: Tracked) -> None:
    first = track_prompt("Wie heißt der Fluß\nin Köln?")
    assert track_prompt("Wie heißt der Fluß  \r\nin Ko\u0308ln?\n") == first
    assert tracked.prompts() == ["Wie heißt der Fluß\nin Köln?"]


def test_an_answer_is_never_a_duplicate(tracked: Tracked) -> None:
    assert len({track_prompt(PROMPT, output=f"answer {n}") for n in range(3)}) == 3
    assert len(tracked.prompts()) == 3


def test_the_duplicate_check_can_reach_over_all_sessions(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STENO_DUPLICATE_CHECK", "all")
    tracked.again()
    assert track_prompt(PROMPT, session="one") == track_prompt(PROMPT, session="two")
    assert tracked.prompts() == [PROMPT]


def test_the_duplicate_check_can_be_off(tracked: Tracked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STENO_DUPLICATE_CHECK", "off")
    tracked.again()
    assert track_prompt(PROMPT) != track_prompt(PROMPT)
    assert tracked.prompts() == [PROMPT, PROMPT]


def test_waiting_gives_the_id_that_stands_when_another_process_was_first(
    tracked: Tracked,
) -> None:
    code = f"import steno; print(steno.track_prompt({PROMPT!r}, session='shared'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=tracked.daemon.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    first = done.stdout.strip()
    assert track_prompt(PROMPT, session="shared", wait_s=60) == first
    assert track_prompt(PROMPT, session="shared") == first, "and is known from then on"
    assert [row["uid"] for row in tracked.history()] == [first]
    assert tracked.sightings() == 2


def test_the_category_becomes_a_tag_that_is_found(tracked: Tracked) -> None:
    record_id = track_prompt(PROMPT)
    assert tracked.one()["tags"] == "auto,database"
    with tracked.daemon.client() as client:
        assert [result.id for result in client.history.search("tag:database")] == [record_id]
        assert [found.id for found in client.history.search("orders auto")] == [record_id]


def test_a_category_that_is_said_stands(tracked: Tracked) -> None:
    track_prompt(PROMPT, category="backend")
    row = tracked.one()
    assert (row["tags"], row["prompt_category"]) == ("auto,backend", "backend")


def test_without_categorising_there_are_no_tags(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STENO_AUTO_CATEGORIZE", "false")
    tracked.again()
    track_prompt(PROMPT)
    row = tracked.one()
    assert (row["tags"], row["prompt_category"]) == (None, "database")


def test_a_tag_that_is_taken_away_stays_away(tracked: Tracked) -> None:
    record_id = track_prompt(PROMPT)
    assert record_id is not None
    tracked.settled()
    with tracked.daemon.client() as client:
        client.history.update(record_id, remove_tags=["database"], add_tags=["mine"])
    assert tracked.one()["tags"] == "auto,mine"


def test_the_category_of_a_direct_save_is_no_tag(tracked: Tracked) -> None:
    with tracked.daemon.client() as client:
        client.history.save("Hi", tags=["mine"])
        client.history.save(PROMPT)
        client.history.save(PROMPT)
    assert [row["tags"] for row in tracked.history()] == ["mine", None, None]


def test_secrets_are_taken_out(tracked: Tracked) -> None:
    key = "sk-ant-api03-" + "aB3" * 31 + "AA"
    track_prompt(f"Why does {key} not work?", note=key)
    row = tracked.one()
    assert "Why does" in row["prompt"]
    assert key not in str(row)


def test_a_save_by_hand_in_a_project_that_stays_out_says_so(
    daemon: RunningDaemon, tmp_path: Path
) -> None:
    """``RunningDaemon.steno`` runs in the folder that holds the instance."""
    (tmp_path / ".stenoignore").touch()
    refused = daemon.steno("save", "kept out")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "nothing was saved" in refused.stderr
    (tmp_path / ".stenoignore").unlink()
    assert daemon.steno("save", "kept").returncode == 0
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".stenoignore").touch()
    assert (
        daemon.steno("save", "for another", "--project", str(tmp_path / "other")).returncode == 4
    )
    (daemon.home / "config.toml").write_text(f'[capture]\nignore = ["{tmp_path}"]\n')
    assert daemon.steno("save", "by a pattern").returncode == 4
    with daemon.client() as client:
        assert client.sql("SELECT prompt FROM history").rows == [["kept"]]
