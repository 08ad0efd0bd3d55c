"""How a verb is written once and serves both colours, blocking and async.

A verb is a generator method of a ``Namespace``. It yields *steps* (ask the daemon this, store
these records, write this to a file) and is sent their answers; what it returns is the verb's result. It never does
input or output, so whoever runs it chooses how: ``Client`` blocks, ``AsyncClient`` awaits, a batch
collects. ``@verb`` turns the generator method into a callable of the right type for each.
"""

import functools
from collections.abc import Callable, Coroutine, Generator
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from msgspec import Struct

from steno.context import Context
from steno.errors import Refused
from steno.results import Saved
from steno_schema.errors import ErrorCode
from steno_schema.records import AnyRecord
from steno_schema.replies import AnyReply
from steno_schema.requests import AnyRequest, Append


class Ask(Struct, frozen=True):
    """Send ``request``; the answer is the reply. ``timeout_s`` replaces the client's own."""

    request: AnyRequest
    timeout_s: float | None = None


class Store(Struct, frozen=True):
    """Store an append's records, in the spool if need be; the answer is one ``Saved`` each."""

    append: Append


class Spool(Struct, frozen=True):
    """Keep an append on disk until the daemon is back; the answer is ``None``."""

    append: Append


class Work(Struct, frozen=True):
    """Call something that may wait for a disk; the answer is a ``Worked`` with what it returned."""

    call: Callable[[], object]


class Worked(Struct, frozen=True):
    result: Any


Step = Ask | Store | Spool | Work
Answer = AnyReply | list[Saved] | Worked | None
Result = TypeVar("Result")
Steps = Generator[Step, Answer, Result]
Parameters = ParamSpec("Parameters")


class Sync(Protocol):
    """Runs steps while the caller waits."""

    def run(self, steps: Steps[Result]) -> Result: ...


class Async(Protocol):
    """Runs steps in a coroutine."""

    def run(self, steps: Steps[Result]) -> Coroutine[Any, Any, Result]: ...


Runner = TypeVar("Runner", bound=Sync | Async)


class Namespace(Generic[Runner]):
    """A group of verbs, ``client.history`` for one."""

    def __init__(self, runner: Runner, context: Context) -> None:
        self.runner = runner
        self._context = context


class Verb(Generic[Parameters, Result]):
    """A generator method that is called as an ordinary one, or as an async one."""

    def __init__(self, build: Callable[Concatenate[Any, Parameters], Steps[Result]]) -> None:
        @functools.wraps(build)
        def call(instance: Namespace[Any], *args: Any, **keywords: Any) -> Any:
            return instance.runner.run(build(instance, *args, **keywords))

        self._call = call
        self.__doc__ = build.__doc__
        self.__wrapped__ = build

    @overload
    def __get__(self, instance: None, owner: type) -> "Verb[Parameters, Result]": ...
    @overload
    def __get__(self, instance: Namespace[Sync], owner: type) -> Callable[Parameters, Result]: ...
    @overload
    def __get__(
        self, instance: Namespace[Async], owner: type
    ) -> Callable[Parameters, Coroutine[Any, Any, Result]]: ...
    def __get__(self, instance: Namespace[Any] | None, owner: type) -> Any:
        if instance is None:
            return self
        return MethodType(self._call, instance)


def verb(
    build: Callable[Concatenate[Any, Parameters], Steps[Result]],
) -> Verb[Parameters, Result]:
    """Make a generator method of a ``Namespace`` a public verb."""
    return Verb(build)


def ask(
    request: AnyRequest, expected: type[Result], timeout_s: float | None = None
) -> Steps[Result]:
    """Return the daemon's reply to ``request``; raise ``Refused`` if it is of another kind."""
    reply = yield Ask(request, timeout_s)
    if isinstance(reply, expected):
        return reply
    raise Refused(
        ErrorCode.INTERNAL,
        f"The daemon answered {type(reply).__name__} where {expected.__name__} was expected.",
        "Update steno and restart its daemon: 'steno restart'.",
    )


def work(call: Callable[[], Result]) -> Steps[Result]:
    """Return what ``call`` returns; an async client has a thread do it."""
    answer = yield Work(call)
    assert isinstance(answer, Worked)
    result: Result = answer.result
    return result


def store(*records: AnyRecord) -> Steps[list[Saved]]:
    """Store records, all of them or none; return one ``Saved`` each."""
    return (yield from store_append(Append(records=list(records))))


def store_append(append: Append) -> Steps[list[Saved]]:
    """Store the records of ``append``; return one ``Saved`` each."""
    answer = yield Store(append)
    assert isinstance(answer, list)
    return answer


def store_one(record: AnyRecord) -> Steps[Saved]:
    """Store one record."""
    saved = yield from store(record)
    return saved[0]
