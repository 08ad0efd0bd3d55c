"""Subscribers: each gets every new or completed exchange it asked for, in commit order."""

import logging
from typing import TYPE_CHECKING

import apsw
from msgspec import Struct

from steno_schema.limits import REPLY_FRAME_MAX_BYTES
from steno_schema.replies import AnyReply, Done, Event, ExchangeView
from steno_schema.requests import RequestId, Subscribe
from stenod.connection import Connection
from stenod.query.exchanges import FROM, PAGE_MAX_BYTES, encoded_bytes, views_within
from stenod.query.filters import exchange_condition
from stenod.readers import ReadJob
from stenod.store.rows import fetch_all

if TYPE_CHECKING:
    from stenod.daemon import Daemon

log = logging.getLogger("stenod.subscriptions")

PAGE = 200
"""Changes, and events, in one page."""
_CHANGED = (
    "SELECT sequence, first_id, last_id FROM change WHERE sequence >= ? AND kind = 'exchange'"
    " ORDER BY sequence LIMIT ?"
)


class Place(Struct, frozen=True):
    """How far a subscriber has been told.

    Every change before ``sequence``, and of that one the exchanges up to number ``told``.
    """

    sequence: int
    told: int = 0


class Subscriber(Struct, eq=False):
    """One subscription: whom to tell, what, and how far it has been told."""

    connection: Connection
    request: Subscribe
    place: Place
    busy: bool = False


class Page(Struct):
    """Events for one subscriber, and how far they reach."""

    events: list[Event]
    place: Place


class Subscriptions:
    """All subscriptions; lives on the event loop's thread."""

    def __init__(self, daemon: "Daemon") -> None:
        self._daemon = daemon
        self._subscribers: dict[tuple[Connection, RequestId], Subscriber] = {}

    def add(self, connection: Connection, request: Subscribe) -> None:
        """Begin a subscription; it is acknowledged with ``done`` and then fed."""
        exchange_condition(request.filters)  # refuses what could never be asked
        progress = self._daemon.writer.progress
        after = progress.head if request.after is None else request.after
        gap = self._is_gone(after + 1) or after > progress.head  # of a database that was before
        first = min(max(after + 1, progress.oldest), progress.head + 1)
        subscriber = Subscriber(connection, request, Place(first))
        self._subscribers[(connection, request.id)] = subscriber
        told = {"sequence": first - 1, "gap": gap}
        connection.deliver(Done(id=request.id, changed=1, result=told))
        self._feed(subscriber)

    def remove(self, connection: Connection, request_id: RequestId) -> bool:
        """End one subscription."""
        return self._subscribers.pop((connection, request_id), None) is not None

    def closed(self, connection: Connection) -> None:
        """End all subscriptions of a connection."""
        for key in [key for key in self._subscribers if key[0] is connection]:
            del self._subscribers[key]

    def has(self, connection: Connection) -> bool:
        """Tell whether a connection has a subscription."""
        return any(key[0] is connection for key in self._subscribers)

    def committed(self) -> None:
        """Tell everybody that there is something new."""
        for subscriber in list(self._subscribers.values()):
            self._feed(subscriber)

    def writable(self, connection: Connection) -> None:
        """Go on feeding a connection that has taken what it was sent."""
        for subscriber in list(self._subscribers.values()):
            if subscriber.connection is connection:
                self._feed(subscriber)

    def _feed(self, subscriber: Subscriber) -> None:
        head = self._daemon.writer.progress.head
        if subscriber.busy or subscriber.connection.congested or head < subscriber.place.sequence:
            return
        pages: list[Page] = []

        def run(connection: apsw.Connection) -> AnyReply:
            pages.append(_page(connection, subscriber.request, subscriber.place))
            return Done()

        def deliver(_reply: AnyReply) -> None:
            subscriber.busy = False
            self._told(subscriber, pages)

        job = ReadJob(subscriber.request.id, run, self._daemon.on_loop(deliver))
        subscriber.busy = self._daemon.readers.put(job)

    def _told(self, subscriber: Subscriber, pages: list[Page]) -> None:
        key = (subscriber.connection, subscriber.request.id)
        if not pages or self._subscribers.get(key) is not subscriber:
            return
        if self._is_gone(subscriber.place.sequence):
            # Perhaps the page was read before the log was cut: better told once too often.
            told = {"sequence": subscriber.place.sequence - 1, "gap": True}
            subscriber.connection.send(Done(id=subscriber.request.id, result=told))
        for event in pages[0].events:
            if encoded_bytes(event) > REPLY_FRAME_MAX_BYTES:
                log.warning("an exchange larger than a frame was left out of a subscription")
            else:
                subscriber.connection.send(event)
        subscriber.place = pages[0].place
        self._feed(subscriber)

    def _is_gone(self, sequence: int) -> bool:
        """Tell whether the change log no longer has this change."""
        return sequence < self._daemon.writer.progress.oldest


def _page(connection: apsw.Connection, request: Subscribe, place: Place) -> Page:
    """Return the next events; a change is a run of numbers, and each becomes an event.

    Only the last event of a run carries its sequence. The others carry the one before: whoever
    comes back after one of them is told the whole run again rather than missing its rest.
    """
    # Asked before the rows: what is committed in between belongs to the next page.
    newest = connection.execute("SELECT max(sequence) FROM change").get or 0
    rows = fetch_all(connection, _CHANGED, (place.sequence, PAGE))
    events: list[Event] = []
    size_bytes = 0
    for sequence, first, last in rows:
        told = place.told if sequence == place.sequence else 0
        views = _run(connection, request, max(first, told + 1), last)
        events += [
            Event(id=request.id, sequence=sequence - 1, exchange=view, change=sequence)
            for view in views
        ]
        if views and views[-1].number < last:
            return Page(events, Place(sequence, views[-1].number))
        if views:
            events[-1].sequence = sequence
        size_bytes += sum(encoded_bytes(view) for view in views)
        if len(events) >= PAGE or size_bytes > PAGE_MAX_BYTES:
            return Page(events, Place(sequence + 1))
    following = rows[-1][0] if len(rows) == PAGE else max(newest, place.sequence - 1)
    return Page(events, Place(int(following) + 1))


def _run(
    connection: apsw.Connection, request: Subscribe, first: int, last: int
) -> list[ExchangeView]:
    """Return the first exchanges of a run that fit a page."""
    condition, values = exchange_condition(request.filters)
    chosen = fetch_all(
        connection,
        f"SELECT e.id {FROM} WHERE e.id BETWEEN ? AND ? AND {condition} ORDER BY e.id LIMIT ?",
        (first, last, *values, PAGE),
    )
    return views_within(connection, [row[0] for row in chosen])
