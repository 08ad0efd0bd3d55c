"""``Tracker``: callbacks of clients with hooks, one call after the other or many at once."""

import pytest

from steno import Tracker, track_execution
from steno.tracking import callbacks
from support.tracked import Tracked


def test_a_call_is_recorded_from_its_callbacks(tracked: Tracked) -> None:
    tracker = Tracker(model="m-1", tags=["hooked"])
    tracker.on_start("Why is the sky blue?", attempt=1)
    tracker.on_token("Rayleigh ")
    tracker.on_token("scattering.")
    record_id = tracker.on_end(tokens={"input": 5, "output": 2})
    row = tracked.one()
    assert row["uid"] == record_id
    assert (row["prompt"], row["output"]) == ("Why is the sky blue?", "Rayleigh scattering.")
    assert (row["model"], row["tokens"], row["status"]) == ("m-1", 7, "completed")
    assert row["tags"].split(",")[0] == "auto"
    assert "hooked" in row["tags"]
    assert row["metadata"] == {"attempt": 1}
    assert row["response_time_estimate"] > 0


def test_the_whole_output_replaces_its_pieces(tracked: Tracked) -> None:
    tracker = Tracker()
    tracker.on_start("Why is the sky blue?")
    tracker.on_token("Ray")
    tracker.on_end("Rayleigh scattering.")
    assert tracked.one()["output"] == "Rayleigh scattering."


def test_a_failure_is_recorded_with_what_came_until_then(tracked: Tracked) -> None:
    tracker = Tracker()
    tracker.on_start("Why is the sky blue?")
    tracker.on_token("Ray")
    tracker.on_error(TimeoutError("no answer"))
    row = tracked.one()
    assert (row["status"], row["output"]) == ("failed", "Ray")
    assert row["metadata"]["error"] == {"type": "TimeoutError", "message": "no answer"}


def test_calls_at_the_same_time_are_told_apart(tracked: Tracked) -> None:
    tracker = Tracker()
    assert tracker.on_start("the first question", run_id=1) == 1
    assert tracker.on_start("the second question", run_id=(2, "b"), parent_run_id=1) == (2, "b")
    tracker.on_token("one", run_id=1)
    tracker.on_token("two", run_id=(2, "b"))
    first = tracker.on_end(run_id=1)
    tracker.on_end(run_id=(2, "b"))
    rows = {row["prompt"]: row for row in tracked.history()}
    assert rows["the first question"]["output"] == "one"
    assert rows["the second question"]["output"] == "two"
    assert rows["the second question"]["metadata"]["parent"] == first


def test_a_call_inside_of_a_run_is_its_child(tracked: Tracked) -> None:
    tracker = Tracker()
    with track_execution("the run around it") as run:
        tracker.on_start("the question inside")
    tracker.on_end("answered later")
    rows = {row["prompt"]: row for row in tracked.history()}
    assert rows["the question inside"]["metadata"]["parent"] == run.id


def test_guards_hold_here_too(tracked: Tracked) -> None:
    tracker = Tracker()
    for prompt, words in [("Hi", {}), ("A private question", {"private": True})]:
        tracker.on_start(prompt, **words)
        assert tracker.on_end("answered") is None
    tracker.on_start("Asked twice, not answered")
    first = tracker.on_end()
    tracker.on_start("Asked twice, not answered")
    assert tracker.on_end() == first
    assert tracked.prompts() == ["Asked twice, not answered"]


def test_callbacks_out_of_order_do_no_harm(tracked: Tracked) -> None:
    tracker = Tracker()
    tracker.on_token("before anything")
    assert tracker.on_end("before anything") is None
    assert tracker.on_error(ValueError("before anything"), run_id="unknown") is None
    run_id = tracker.on_start("Why is the sky blue?")
    assert tracker.on_end("Rayleigh.", run_id=run_id) is not None
    assert tracker.on_end("Rayleigh.", run_id=run_id) is None
    tracker.on_start("an id that cannot be one", run_id=[])  # type: ignore[arg-type]
    tracker.on_token("never", run_id=[])  # type: ignore[arg-type]
    assert tracked.prompts() == ["Why is the sky blue?"]


def test_calls_that_never_end_are_given_up(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "OPEN_MAX", 2)
    tracker = Tracker()
    for number in range(4):
        tracker.on_start(f"question number {number}")
    rows = tracked.history()
    assert [(row["prompt"], row["status"]) for row in rows] == [
        ("question number 0", "aborted"),
        ("question number 1", "aborted"),
    ]
