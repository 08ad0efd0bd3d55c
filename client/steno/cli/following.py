"""New exchanges for as long as one cares to wait, also over the end of a daemon and the next."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from steno.cli.failures import say
from steno.errors import Refused, Unreachable
from steno_schema.replies import Event

if TYPE_CHECKING:
    from steno.client import Client, Subscription

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0


def follow(client: "Client", after: int | None, words: dict[str, Any]) -> Iterator[Event]:
    """Yield each event once; raise ``Unreachable`` only if there is no daemon to begin with.

    When the daemon goes away the person is told, and the next one is asked for what came since.
    """
    subscription = client.subscribe(after, **words)
    change = 0
    told: set[str] = set()
    while True:
        try:
            for event in _events(subscription):
                if event.change != change:
                    change = event.change
                    told.clear()
                if not change or event.exchange.id not in told:
                    told.add(event.exchange.id)
                    yield event
            return
        except Unreachable:
            say("The daemon went away; waiting for the next one (Ctrl-C ends that).")
        finally:
            subscription.close()
        subscription = _again(client, subscription.sequence, words)
        say("The daemon is back.")


def _events(subscription: "Subscription") -> Iterator[Event]:
    """Yield the events of one daemon; tell the person once of a gap before them."""
    gap_told = subscription.gap
    if subscription.gap:
        _tell_gap()
    for event in subscription:
        if subscription.gap and not gap_told:
            gap_told = True
            _tell_gap()
        yield event


def _tell_gap() -> None:
    say(
        "Some exchanges are missing here: the change log no longer has them.",
        "steno list shows them.",
    )


def _again(client: "Client", after: int, words: dict[str, Any]) -> "Subscription":
    wait_s = _FIRST_WAIT_S
    while True:
        time.sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
        try:
            return client.subscribe(after, **words)
        except Unreachable:
            continue
        except Refused as refusal:
            if not refusal.retryable:
                raise
