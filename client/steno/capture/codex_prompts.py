"""Finds the prompts that a person wrote among what Codex writes in the user's role.

An item of role ``user`` can be a prompt or something the agent put in. Codex tells by an event
beside the item: ``user_message`` (0.34 to 0.142), or the completed item ``UserMessage``; 0.169
also says it in the item itself. Neighbouring lines with one text are one prompt. A file without
any such event is taken at its items' word; should an event come after all, those are taken back.
"""

import hashlib

from steno.capture.codex_records import Place, Records, Text
from steno.capture.codex_state import PromptSource, Sighting, State
from steno.capture.codex_wire import INJECTED_PREFIXES

GUESSES_MAX = 32
"""Turns that can still be taken back: a file that had this many prompts writes no events."""


class Prompts:
    """Pairs items with events, line by line."""

    def __init__(self, state: State, records: Records) -> None:
        self._state = state
        self._records = records

    def item(self, place: Place, native_id: str | None, text: str, kinds: list[str]) -> bool:
        """Take a message of role ``user``; tell whether it was news.

        ``kinds`` is what the parts of the message are, where that is said.
        """
        key = native_id or place.ref
        is_told = any(kind.startswith("user.") for kind in kinds)
        if not is_told and (kinds or is_injected(text)):
            self.close()
            self._records.message(place, ("message", key), Text("user", "injected", text))
            return True
        if self._is_echo("item", text):
            return False
        self.close()
        self._start(key, place, "item", text)
        if is_told or self._state.is_bare:
            self._tell("item", text)
        return True

    def event(self, place: Place, source: PromptSource, text: str) -> bool:
        """Take what an event says a person wrote; tell whether that was news."""
        self._saw_event()
        if source == "event" and is_injected(text):
            return False
        if not self._is_echo(source, text):
            self.close()
            self._start(place.ref, place, source, text)
        return self._tell(source, text)

    def close(self) -> None:
        """Say that no event follows the item seen last."""
        sighting, self._state.sighting = self._state.sighting, None
        if sighting is None or sighting.told_by is not None:
            return
        if not self._state.has_prompt_events:
            self._records.prompt(sighting, sighting.text)
            self._remember_guess()
            return
        place = Place("", sighting.position, sighting.created_at)
        text = Text("user", "injected", sighting.text)
        self._records.message(place, ("message", sighting.prompt_key), text)

    def _start(self, key: str, place: Place, source: PromptSource, text: str) -> None:
        self._state.sighting = Sighting(
            prompt_key=key,
            position=place.position,
            created_at=place.created_at,
            sources=[source],
            text=text,
        )

    def _is_echo(self, source: PromptSource, text: str) -> bool:
        sighting = self._state.sighting
        if sighting is None or source in sighting.sources:
            return False
        match sighting.told_by:
            case None:
                # An item also says what stands around an image, its event does not.
                same = _essence(text) in _essence(sighting.text)
            case "item":
                same = True
            case _:
                same = _hash(text) == sighting.hash
        if same:
            sighting.sources.append(source)
        return same

    def _tell(self, source: PromptSource, text: str) -> bool:
        sighting = self._state.sighting
        if sighting is None or sighting.told_by is not None:
            return False
        self._records.prompt(sighting, text)
        sighting.told_by, sighting.text, sighting.hash = source, "", _hash(text)
        return True

    def _saw_event(self) -> None:
        state = self._state
        state.has_prompt_events = True
        guesses, state.guessed_turns = state.guessed_turns, []
        for turn in guesses:
            self._records.withdraw(turn)
            if state.turn is not None and state.turn.prompt_key == turn.prompt_key:
                state.turn = None

    def _remember_guess(self) -> None:
        turn = self._state.turn
        if turn is not None and len(self._state.guessed_turns) < GUESSES_MAX:
            self._state.guessed_turns.append(turn)


def is_injected(text: str) -> bool:
    """Tell whether a text of role ``user`` is one that the agent puts in."""
    return text.lstrip().startswith(INJECTED_PREFIXES)


def _essence(text: str) -> str:
    return "".join(text.split())


def _hash(text: str) -> str:
    data = _essence(text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16).hexdigest()
