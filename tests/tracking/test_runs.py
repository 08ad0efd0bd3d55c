"""``track_execution``: duration, failures, nested runs as children; blocking and async."""

import asyncio
import threading

import pytest

from steno import track_execution, track_prompt
from steno.tracking import Run
from support.tracked import Tracked

CONVERSATIONS = """
SELECT c.key, (SELECT p.key FROM conversation AS p WHERE p.id = c.parent_id), c.kind
FROM conversation AS c WHERE c.id IN
  (SELECT e.conversation_id FROM exchange AS e WHERE lower(hex(e.uid)) = replace(?, '-', ''))
"""


def run_with(colour: str, prompt: str, error: BaseException | None = None) -> Run:
    """Run a block in one colour and return its run."""

    def block(run: Run) -> None:
        run.token("It ")
        run.token("went.")
        if error is not None:
            raise error

    async def awaited() -> Run:
        async with track_execution(prompt, model="m-1") as run:
            await asyncio.sleep(0)
            block(run)
        return run

    if colour == "async":
        return asyncio.run(awaited())
    with track_execution(prompt, model="m-1") as run:
        block(run)
    return run


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_block_is_recorded_with_its_duration(tracked: Tracked, colour: str) -> None:
    run = run_with(colour, "Summarise the report")
    row = tracked.one()
    assert run.recorded_id == run.id == row["uid"]
    assert (row["prompt"], row["output"]) == ("Summarise the report", "It went.")
    assert (row["model"], row["status"]) == ("m-1", "completed")
    assert row["response_time_estimate"] > 0


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_failure_is_recorded_with_its_error_and_goes_on(tracked: Tracked, colour: str) -> None:
    with pytest.raises(ConnectionError, match="no route"):
        run_with(colour, "Ask the model", ConnectionError("no route"))
    row = tracked.one()
    assert (row["status"], row["output"]) == ("failed", "It went.")
    assert row["metadata"]["error"] == {"type": "ConnectionError", "message": "no route"}
    assert row["response_time_estimate"] > 0


def test_the_same_failure_is_recorded_each_time(tracked: Tracked) -> None:
    for _ in range(2):
        with pytest.raises(OSError, match="again"), track_execution("Ask the model"):
            raise OSError("again")
    assert [row["status"] for row in tracked.history()] == ["failed", "failed"]


def test_what_is_cancelled_is_aborted(tracked: Tracked) -> None:
    async def cancelled() -> None:
        with track_execution("Wait for the model"):
            asyncio.current_task().cancel()  # type: ignore[union-attr]
            await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert tracked.one()["status"] == "aborted"


def test_nested_runs_are_children(tracked: Tracked) -> None:
    with track_execution("Plan the work", session="s-1") as outer:
        with track_execution("Do the first step") as middle:
            leaf = track_prompt("What is the first step?")
        with track_execution("Do the second step") as second:
            pass
    assert leaf is not None
    rows = {row["uid"]: row for row in tracked.history()}
    assert {row["session_id"] for row in rows.values()} == {"s-1"}
    parents = {uid: row["metadata"].get("parent") for uid, row in rows.items()}
    assert parents == {
        outer.id: None,
        middle.id: outer.id,
        second.id: outer.id,
        leaf: middle.id,
    }
    places = {uid: tracked.sql(CONVERSATIONS, uid)[0] for uid in rows}
    assert places == {
        outer.id: ["s-1", None, "main"],
        middle.id: [outer.id, "s-1", "subagent"],
        second.id: [outer.id, "s-1", "subagent"],
        leaf: [middle.id, outer.id, "subagent"],
    }


def test_children_of_a_run_in_a_given_conversation_stand_there_too(tracked: Tracked) -> None:
    with (
        track_execution("Plan the work", conversation="thread-1") as outer,
        track_execution("Do the first step") as inner,
    ):
        pass
    rows = {row["uid"]: row for row in tracked.history()}
    assert rows[inner.id]["metadata"]["parent"] == outer.id
    assert tracked.sql(CONVERSATIONS, inner.id)[0][0] == "thread-1"
    assert len({row["session_id"] for row in rows.values()}) == 1


def test_what_is_inside_of_a_private_run_is_private(tracked: Tracked) -> None:
    with track_execution("Plan the work", private=True) as outer:
        assert track_prompt("What is the first step?") is None
        with track_execution("Do the first step"):
            pass
    assert outer.recorded_id is None
    with track_execution("A run that is left out alone", enabled=False):
        assert track_prompt("Recorded all the same") is not None
    assert tracked.prompts() == ["Recorded all the same"]


def test_a_run_can_become_private_before_it_ends(tracked: Tracked) -> None:
    with track_execution("Plan the work") as run:
        run.private = True
    assert tracked.prompts() == []


def test_more_can_be_said_until_the_end(tracked: Tracked) -> None:
    with track_execution() as run:
        run.prompt = "Translate the page"
        run.set(model="m-2", rating=8, language="fr", output="Voilà.")
        run.cost_usd = 0.25
        run.tokens = 12
    row = tracked.one()
    assert (row["prompt"], row["output"]) == ("Translate the page", "Voilà.")
    assert (row["model"], row["cost"], row["tokens"]) == ("m-2", 0.25, 12)
    assert (row["success_rating"], row["metadata"]) == (8, {"language": "fr"})


def test_tasks_and_threads_have_runs_of_their_own(tracked: Tracked) -> None:
    async def one(number: int) -> None:
        async with track_execution(f"task number {number}"):
            await asyncio.sleep(0)
            with track_execution(f"inside of task {number}"):
                await asyncio.sleep(0)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number) for number in range(5)))

    asyncio.run(all_of_them())
    with track_execution("the main thread"):
        thread = threading.Thread(target=lambda: track_prompt("another thread"))
        thread.start()
        thread.join()
    rows = tracked.history()
    known = {row["uid"]: row["prompt"] for row in rows}
    parents = {row["prompt"]: known.get(row["metadata"].get("parent")) for row in rows}
    for number in range(5):
        assert parents[f"inside of task {number}"] == f"task number {number}"
        assert parents[f"task number {number}"] is None
    assert parents["another thread"] is None


def test_a_run_ends_once(tracked: Tracked) -> None:
    run = track_execution("Summarise the report")
    with run:
        run.output = "Done."
    run.end(ValueError("too late"))
    with run:
        pass
    assert tracked.one()["status"] == "completed"


def test_an_error_that_cannot_say_what_it_is_goes_on_as_itself(tracked: Tracked) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    with pytest.raises(Mute), track_execution("Ask the model"):
        raise Mute
    assert tracked.one()["metadata"]["error"]["type"].endswith("Mute")
