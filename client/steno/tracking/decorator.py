"""Tracked functions: each call is a run, whatever kind of function it is."""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any, TypeVar, cast

from steno.tracking.current import note
from steno.tracking.run import Run
from steno.tracking.texts import prompt_finder

Yielded = TypeVar("Yielded")
Sent = TypeVar("Sent")
Returned = TypeVar("Returned")
Function = TypeVar("Function", bound=Callable[..., Any])
Arguments = tuple[Any, ...]
Words = Mapping[str, Any]


class _Calls:
    """Makes the runs of one function's calls."""

    def __init__(self, function: Callable[..., Any], context: Mapping[str, Any]) -> None:
        words = dict(context)
        chosen = words.pop("prompt_from", None)
        self._output_from: Callable[[Any], object] | None = words.pop("output_from", None)
        self._find = prompt_finder(function, chosen)
        self._context = words

    def run(self, args: Arguments, words: Words) -> Run:
        """Return the run of a call with these arguments."""
        try:
            prompt = self._find(args, words)
        except Exception as error:
            note(error)
            prompt = ""
        return Run(prompt, self._context)

    def text_from(self, result: object) -> object:
        """Return what a result, or a piece of it, says."""
        if self._output_from is None:
            return result
        try:
            return self._output_from(result)
        except Exception as error:
            note(error)
            return None


def tracked(function: Function, context: Mapping[str, Any]) -> Function:
    """Return ``function`` with every call of it recorded; it behaves as before."""
    calls = _Calls(function, context)
    if inspect.isasyncgenfunction(function):
        wrapper: Callable[..., Any] = _async_generator(function, calls)
    elif inspect.iscoroutinefunction(function):
        wrapper = _coroutine(function, calls)
    elif inspect.isgeneratorfunction(function):
        wrapper = _generator(function, calls)
    else:
        wrapper = _plain(function, calls)
    return cast("Function", wrapper)


def _plain(function: Callable[..., Any], calls: _Calls) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **words: Any) -> Any:
        with calls.run(args, words) as run:
            result = function(*args, **words)
            run.take(calls.text_from(result))
        return result

    return call


def _coroutine(function: Callable[..., Any], calls: _Calls) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **words: Any) -> Any:
        with calls.run(args, words) as run:
            result = await function(*args, **words)
            run.take(calls.text_from(result))
        return result

    return call


def _generator(function: Callable[..., Any], calls: _Calls) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **words: Any) -> Generator[Any, Any, Any]:
        run = calls.run(args, words)
        run.begin()
        return (yield from _Stream(function(*args, **words), run, calls))

    return call


def _async_generator(function: Callable[..., Any], calls: _Calls) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **words: Any) -> AsyncGenerator[Any, Any]:
        run = calls.run(args, words)
        run.begin()
        stream: AsyncGenerator[Any, Any] = function(*args, **words)
        step = stream.asend(None)
        try:
            while True:
                token = run.enter()
                try:
                    item = await step
                except StopAsyncIteration:
                    break
                finally:
                    run.leave(token)
                run.token(calls.text_from(item))
                try:
                    step = stream.asend((yield item))
                except GeneratorExit:
                    await stream.aclose()
                    raise
                except BaseException as error:
                    step = stream.athrow(error)
        except BaseException as error:
            run.end(error)
            raise
        run.end()

    return call


class _Stream(Generator[Yielded, Sent, Returned]):
    """A generator that is collected while somebody else goes through it."""

    def __init__(
        self, stream: Generator[Yielded, Sent, Returned], run: Run, calls: _Calls
    ) -> None:
        self._stream = stream
        self._run = run
        self._calls = calls

    def send(self, value: Sent) -> Yielded:
        return self._step(self._stream.send, value)

    def throw(self, error: Any, *rest: Any) -> Yielded:
        """Raise in what is collected; older callers give type, value and traceback apart."""
        value = rest[0] if rest and isinstance(rest[0], BaseException) else error
        return self._step(self._stream.throw, value)

    def close(self) -> None:
        """Close what is collected, as its consumer went away."""
        error = GeneratorExit()
        token = self._run.enter()
        try:
            self._stream.close()
        except BaseException as problem:
            self._run.end(problem)
            raise
        finally:
            self._run.leave(token)
        self._run.end(error)

    def _step(self, step: Callable[[Any], Yielded], value: object) -> Yielded:
        token = self._run.enter()
        try:
            item = step(value)
        except StopIteration as done:
            self._run.take(self._calls.text_from(done.value))
            self._run.end()
            raise
        except BaseException as error:
            self._run.end(error)
            raise
        finally:
            self._run.leave(token)
        self._run.token(self._calls.text_from(item))
        return item
