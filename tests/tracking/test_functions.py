"""``@track_prompt``: every kind of function behaves as before, and each call is recorded."""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

import pytest

from steno import track_execution, track_prompt
from support.tracked import Tracked

WORDS = ["Rayleigh ", "scattering."]


@track_prompt
def plain(prompt: str, *, fail: bool = False) -> str:
    if fail:
        raise ValueError("the model said no")
    return "".join(WORDS)


@track_prompt
async def awaited(prompt: str, *, fail: bool = False) -> str:
    await asyncio.sleep(0)
    if fail:
        raise ValueError("the model said no")
    return "".join(WORDS)


@track_prompt
def streamed(prompt: str, *, fail: bool = False) -> Iterator[str]:
    yield WORDS[0]
    if fail:
        raise ValueError("the model said no")
    yield WORDS[1]


@track_prompt
async def streamed_async(prompt: str, *, fail: bool = False) -> AsyncIterator[str]:
    yield WORDS[0]
    await asyncio.sleep(0)
    if fail:
        raise ValueError("the model said no")
    yield WORDS[1]


def call(function: Callable[..., Any], *args: Any, **words: Any) -> str:
    """Call a function of any kind and return everything it gave."""

    async def collected() -> str:
        return "".join([piece async for piece in function(*args, **words)])

    if inspect.isasyncgenfunction(function):
        return asyncio.run(collected())
    if inspect.iscoroutinefunction(function):
        return str(asyncio.run(function(*args, **words)))
    return "".join(function(*args, **words))


KINDS = [plain, awaited, streamed, streamed_async]


@pytest.mark.parametrize("function", KINDS, ids=lambda function: function.__name__)
def test_a_call_is_recorded_with_its_output(
    tracked: Tracked, function: Callable[..., Any]
) -> None:
    assert call(function, "Why is the sky blue?") == "Rayleigh scattering."
    assert call(function, prompt="And why is it dark?") == "Rayleigh scattering."
    first, second = tracked.history()
    assert (first["prompt"], first["output"]) == ("Why is the sky blue?", "Rayleigh scattering.")
    assert second["prompt"] == "And why is it dark?"
    assert first["status"] == "completed"
    assert first["response_time_estimate"] > 0


@pytest.mark.parametrize("function", KINDS, ids=lambda function: function.__name__)
def test_a_failure_is_recorded_and_raised(tracked: Tracked, function: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="the model said no"):
        call(function, "Why is the sky blue?", fail=True)
    row = tracked.one()
    assert row["status"] == "failed"
    assert row["metadata"]["error"]["message"] == "the model said no"
    assert row["output"] == ("Rayleigh " if "stream" in function.__name__ else "")


def test_functions_stay_what_they_are() -> None:
    assert inspect.iscoroutinefunction(awaited)
    assert inspect.isgeneratorfunction(streamed)
    assert inspect.isasyncgenfunction(streamed_async)
    assert [function.__name__ for function in KINDS] == [
        "plain",
        "awaited",
        "streamed",
        "streamed_async",
    ]
    assert list(inspect.signature(plain).parameters) == ["prompt", "fail"]


def test_a_stream_is_recorded_when_its_consumer_leaves(tracked: Tracked) -> None:
    stream = streamed("Why is the sky blue?")
    assert next(stream) == WORDS[0]
    assert isinstance(stream, Generator)
    stream.close()

    async def leave() -> None:
        async_stream = streamed_async("Why is the sea blue?")
        assert await anext(async_stream) == WORDS[0]
        await async_stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(leave())
    rows = tracked.history()
    assert [(row["status"], row["output"]) for row in rows] == [("aborted", "Rayleigh ")] * 2


def test_a_stream_takes_what_is_sent_and_thrown(tracked: Tracked) -> None:
    closed: list[str] = []

    @track_prompt
    def talk(prompt: str) -> Generator[str, str, str]:
        try:
            heard = yield "first "
            try:
                yield f"heard {heard} "
            except KeyError:
                yield "caught "
            return "the end"
        finally:
            closed.append("sync")

    stream = talk("Let us have a talk")
    assert next(stream) == "first "
    assert stream.send("this") == "heard this "
    assert stream.throw(KeyError("thrown")) == "caught "
    with pytest.raises(StopIteration) as done:
        next(stream)
    assert done.value.value == "the end"
    assert closed == ["sync"]
    assert tracked.one()["output"] == "the end", "what it returns is the whole"


def test_an_async_stream_takes_what_is_sent_and_thrown(tracked: Tracked) -> None:
    closed: list[str] = []

    @track_prompt
    async def talk(prompt: str) -> Any:
        try:
            heard = yield "first "
            try:
                yield f"heard {heard} "
            except KeyError:
                yield "caught"
        finally:
            closed.append("async")

    async def have() -> None:
        stream = talk("Let us have a talk")
        assert await stream.asend(None) == "first "
        assert await stream.asend("this") == "heard this "
        assert await stream.athrow(KeyError("thrown")) == "caught"
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    asyncio.run(have())
    assert closed == ["async"]
    assert tracked.one()["output"] == "first heard this caught"


def test_a_stream_that_nobody_began_is_no_call(tracked: Tracked) -> None:
    streamed("Why is the sky blue?").close()  # type: ignore[attr-defined]
    assert tracked.prompts() == []


def test_a_stream_is_around_what_runs_in_it_and_nothing_else(tracked: Tracked) -> None:
    @track_prompt
    def stream(prompt: str) -> Iterator[str]:
        yield "a"
        track_prompt("asked inside of the stream")
        yield "b"

    for piece in stream("a stream with a step"):
        track_prompt(f"asked by the consumer at {piece}")
    rows = tracked.history()
    names = {row["uid"]: row["prompt"] for row in rows}
    parents = {row["prompt"]: names.get(row["metadata"].get("parent")) for row in rows}
    assert parents["asked inside of the stream"] == "a stream with a step"
    assert parents["asked by the consumer at a"] is None
    assert parents["asked by the consumer at b"] is None


def test_words_of_the_decorator_hold_for_every_call(tracked: Tracked) -> None:
    @track_prompt(model="m-1", tags=["poem"], private=False)
    def ask(prompt: str) -> str:
        return prompt.upper()

    ask("Write a poem")
    row = tracked.one()
    assert (row["model"], row["output"]) == ("m-1", "WRITE A POEM")
    assert "poem" in row["tags"].split(",")


@pytest.mark.parametrize("word", ["private", "enabled"])
def test_a_function_can_be_kept_out(tracked: Tracked, word: str) -> None:
    @track_prompt(**{word: word == "private"})
    def ask(prompt: str) -> str:
        return "kept to ourselves"

    assert ask("Write a poem") == "kept to ourselves"
    assert tracked.prompts() == []


class Model:
    @track_prompt
    def ask(self, temperature: float, question: str = "What is the default?") -> dict[str, int]:
        return {"answer": 42}


def chat(messages: list[dict[str, str]]) -> bytes:
    return b"bytes"


def by_name(topic: str, style: str) -> str:
    return "done"


def test_the_prompt_is_found_in_methods_messages_and_by_name(tracked: Tracked) -> None:
    Model().ask(0.5, "What is the answer?")
    Model().ask(0.5)
    said = [
        {"role": "user", "content": "the older one"},
        {"role": "user", "content": "the latest one"},
        {"role": "assistant", "content": "an answer"},
    ]
    track_prompt(chat)(said)
    track_prompt(prompt_from="style")(by_name)("topic one", "in style one")
    track_prompt(prompt_from=lambda topic, style: f"{topic}, {style}")(by_name)("topic", style="s")
    track_prompt(by_name)("the first text", "the second")
    track_prompt(functools.partial(by_name, "a partial text"))("the other")
    assert [(row["prompt"], row["output"]) for row in tracked.history()] == [
        ("What is the answer?", '{"answer":42}'),
        ("What is the default?", '{"answer":42}'),
        ("the latest one", "bytes"),
        ("in style one", "done"),
        ("topic, s", "done"),
        ("the first text", "done"),
        ("the other", "done"),
    ]


def test_the_output_can_be_taken_from_the_result(tracked: Tracked) -> None:
    @track_prompt(output_from=lambda result: result["choices"][0])
    def ask(prompt: str) -> dict[str, list[str]]:
        return {"choices": ["the first", "the second"]}

    @track_prompt(output_from=lambda piece: piece["delta"])
    def stream(prompt: str) -> Iterator[dict[str, str]]:
        yield from ({"delta": word} for word in WORDS)

    ask("Give me choices")
    list(stream("Give me pieces"))
    assert [row["output"] for row in tracked.history()] == ["the first", "Rayleigh scattering."]


def test_tracking_that_fails_leaves_the_call_alone(tracked: Tracked) -> None:
    class Hostile:
        @property
        def text(self) -> str:
            raise RuntimeError("hands off")

    @track_prompt(prompt_from=lambda prompt: prompt["missing"])
    def first(prompt: str) -> str:
        return "first"

    @track_prompt(output_from=lambda result: 1 / 0)
    def second(prompt: str) -> str:
        return "second"

    @track_prompt
    def third(prompt: str) -> Hostile:
        return Hostile()

    assert first("a prompt that is not found") == "first"
    assert second("a prompt without an output") == "second"
    assert isinstance(third("a prompt with a hostile answer"), Hostile)
    assert [(row["prompt"], row["output"]) for row in tracked.history()] == [
        ("a prompt without an output", ""),
        ("a prompt with a hostile answer", ""),
    ]


def test_tracked_functions_nest(tracked: Tracked) -> None:
    with track_execution("the outermost run") as run:
        plain("called inside of the run")
    rows = {row["prompt"]: row for row in tracked.history()}
    assert rows["called inside of the run"]["metadata"]["parent"] == run.id
