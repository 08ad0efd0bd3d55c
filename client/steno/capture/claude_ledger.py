"""Where a line of Claude Code stands, which turn runs, and the records that come of it."""

from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from msgspec import msgpack

from steno.capture.beside import Helper, helper_of
from steno.capture.claude_content import Part
from steno.capture.claude_lines import NATIVE_KEY_MAX_CHARS, Body, Line, text_or_none
from steno.capture.claude_records import (
    Place,
    conversation_record,
    levels,
    message_record,
    path_text,
    record_id,
    session_record,
    turn_record,
    usage_record,
)
from steno.capture.claude_state import DECODER, RunningTurn, SessionFacts, State, digest_of
from steno_schema.records import AnyRecord, ExchangeStatus, Origin, Role
from steno_schema.times import parse_ms


class Moment(NamedTuple):
    """A line's time as written (the last known one if it has none), and in ms since 1970."""

    at: str | None
    ms: int | None


class Ledger:
    """What is known between lines, and the records not yet taken."""

    def __init__(self, path: Path, state: bytes) -> None:
        self.known = DECODER.decode(state) if state else State()
        self.made = 0
        stem = path.stem.encode("utf-8", "replace").decode()
        self._stem = stem[:NATIVE_KEY_MAX_CHARS] or "unnamed"
        self._agent_file = path.name.startswith("agent-")
        self._copy_file = path.name.startswith("agent-acompact-")
        if self._agent_file and self.known.helper is None:
            self._meet(helper_of(path))
        self._out: list[AnyRecord] = []
        self._changed: list[SessionFacts] = []

    def _meet(self, helper: Helper | None) -> None:
        """Learn what the sub-agent is for; its thread is said again with the next message."""
        if helper is not None:
            self.known.helper = helper
            self.known.conversations = []

    def take(self) -> list[AnyRecord]:
        """Return the records made since the last call, sessions first."""
        made: list[AnyRecord] = [
            session_record(facts)
            for facts in self._changed
            if self._out or facts.first_ms is not None
        ]
        made.extend(self._out)
        self._out = []
        self._changed = []
        return made

    def state(self) -> bytes:
        """Return what another ledger needs to go on from here."""
        return msgpack.encode(self.known)

    # Where a line stands.

    def place(self, number: int, first_block: int, line: Line, data: bytes) -> Place:
        """Return where ``line`` stands, and learn from it about its session."""
        moment = self.moment(line.timestamp)
        facts = self._facts(line.session_id)
        copied = self._is_copy(line, facts, moment.ms)
        of_agent = bool(line.is_sidechain or line.agent_id or self._agent_file)
        if not copied or self._copy_file:
            self._learn(line, facts, moment.ms, of_agent=of_agent)
        if line.uuid:
            self.known.last_uuid = line.uuid
        self.known.folder = self.known.folder or path_text(line.cwd)
        turn = self.known.turn
        return Place(
            number=number,
            first_block=first_block,
            key=line.uuid or f"{facts.key}/{blake2b(data, digest_size=16).hexdigest()}",
            session=facts.key,
            conversation=self.thread(facts.key, line.agent_id) if of_agent else facts.key,
            exchange=turn.id if turn and not of_agent else None,
            at=moment.at,
            project=path_text(line.cwd) or facts.project,
            of_agent=of_agent,
            copied=copied,
        )

    def thread(self, session: str, agent: str | None) -> str:
        """Return the key of a sub-agent's conversation."""
        if agent is None and self._agent_file:
            agent = self._stem.removeprefix("agent-")
        return f"{session}/{agent or 'sidechain'}"

    def moment(self, written: object) -> Moment:
        """Read a time stamp; without a sound one it is still the time of the line before."""
        known = self.known
        if not isinstance(written, str):
            return Moment(known.last_event_at, None)
        try:
            ms = parse_ms(written)
        except ValueError:
            return Moment(known.last_event_at, None)
        if known.last_event_ms is None or ms > known.last_event_ms:
            known.last_event_ms, known.last_event_at = ms, written
        return Moment(written, ms)

    def maybe_forked(self, line: Line) -> None:
        """Take the queue line before all messages for the start of what is not copied."""
        known = self.known
        if known.last_uuid is None and known.own_since_ms is None:
            known.own_since_ms = self.moment(line.timestamp).ms

    def _facts(self, session: str | None) -> SessionFacts:
        facts = self.known.session
        if facts is None or (session and session != facts.key):
            facts = self.known.session = SessionFacts(key=session or self._stem)
        return facts

    def _is_copy(self, line: Line, facts: SessionFacts, ms: int | None) -> bool:
        """Tell whether a fork's file repeats this line of the session it was made from.

        Newer versions name the other session on the assistant's lines. A fork that was asked for
        with its first prompt has that prompt's queue line before the copies, which are older.
        """
        if line.request_session_id and line.request_session_id != facts.key:
            facts.forked_from = facts.forked_from or line.request_session_id
            if facts.parent != line.request_session_id:
                facts.parent = line.request_session_id
                self._session_changed(facts)
            return True
        if self._copy_file:
            return True
        own_since_ms = self.known.own_since_ms
        if own_since_ms is None or ms is None or line.uuid is None:
            return False
        if ms < own_since_ms:
            return True
        self.known.own_since_ms = None
        return False

    def _learn(self, line: Line, facts: SessionFacts, ms: int | None, *, of_agent: bool) -> None:
        if ms is not None:
            facts.first_ms = ms if facts.first_ms is None else min(ms, facts.first_ms)
            facts.last_ms = ms if facts.last_ms is None else max(ms, facts.last_ms)
            self._session_changed(facts)
        if not of_agent:
            facts.project = facts.project or path_text(line.cwd)
            facts.version = text_or_none(line.version) or facts.version
            facts.git_branch = text_or_none(line.git_branch) or facts.git_branch
            facts.entrypoint = text_or_none(line.entrypoint) or facts.entrypoint

    def _session_changed(self, facts: SessionFacts) -> None:
        if not self._changed or self._changed[-1] is not facts:
            self._changed.append(facts)

    # What records are made of.

    def _add(self, record: AnyRecord) -> None:
        self._out.append(record)
        self.made += 1

    def _open(self, place: Place) -> None:
        if self.known.first_sight(place.conversation):
            self._session_changed(self._facts(place.session))
            self._add(conversation_record(place, self._helper_of(place)))

    def _helper_of(self, place: Place) -> Helper | None:
        """Return what is told of a file's own sub-agent; a nested one's thread is not it."""
        return self.known.helper if self._agent_file and not place.nested else None

    def say(self, place: Place, role: Role, part: Part, model: str | None = None) -> None:
        """Make a message."""
        self._open(place)
        self._add(message_record(place, role, part, model))

    def count(self, place: Place, body: Body, request_id: object) -> None:
        """Make a usage, unless an earlier line told as much."""
        usage = usage_record(place, body, text_or_none(request_id))
        if self.known.risen(usage.id, levels(usage)):
            self._open(place)
            self._add(usage)

    def title(self, title: str, *, by_user: bool) -> None:
        """Give the session a title; what the user chose stays."""
        facts = self._facts(None)
        if by_user or not facts.title_by_user:
            facts.title, facts.title_by_user = title, by_user
            self._session_changed(facts)
            self.made += 1

    # Turns.

    def start_turn(self, place: Place, origin: Origin, text: str) -> None:
        """Start the turn that a prompt asks for."""
        known = self.known
        turn = _turn_at(place, place.key, origin)
        if known.turn is None or known.turn.id != turn.id:
            if origin != "command":
                known.turn_before = None
            elif known.turn is not None and known.turn.origin != "command":
                known.turn_before = known.turn
            known.turn = turn
        self.say(place._replace(exchange=turn.id), "user", Part(0, "text", text))
        self._add(turn_record(known.turn))

    def end_turn(self, status: ExchangeStatus) -> None:
        """Say how the running turn ended."""
        turn = self.known.turn
        if turn is not None and turn.status != status:
            turn.status = status
            self._add(turn_record(turn))

    def end_local_command(self) -> None:
        """Go on with the turn before: a command with local output asks the model nothing."""
        known = self.known
        if known.turn and known.turn.origin == "command" and known.turn_before:
            known.turn, known.turn_before = known.turn_before, None

    def answered(self, *, copied: bool, failed: bool, replied: bool) -> None:
        """Say what the assistant's line means for the running turn."""
        self.known.copying = copied
        turn = self.known.turn
        if turn is None:
            return
        if copied and not turn.copied:
            turn.copied = True
            self._add(turn_record(turn))
        if failed:
            self.end_turn("failed")
        elif replied and turn.status == "failed":
            self.end_turn("completed")

    # Prompts that were in the queue, and may exist nowhere else.

    def left_queue(self, place: Place, text: str, *, attached: bool) -> None:
        """Make a turn of a queued prompt, unless a user record had its text already."""
        digest = digest_of(text)
        if text.isspace() or not text or digest in self.known.texts:
            return
        key = self._queued_key(place, digest, self.known.leave(digest, attached=attached))
        turn = _turn_at(place, key, "queued")
        self.say(place._replace(key=key, exchange=turn.id), "user", Part(0, "text", text))
        self._add(turn_record(turn))

    def has_text(self, place: Place, typed: str) -> None:
        """Take queued prompts back whose text a user record has after all."""
        if not typed or typed.isspace():
            return
        digest = digest_of(typed)
        for ordinal in range(1, self.known.withdraw(digest) + 1):
            turn = _turn_at(place, self._queued_key(place, digest, ordinal), "queued")
            self._add(turn_record(turn, withdrawn=True))
        self.known.remember_text(digest)

    def _queued_key(self, place: Place, digest: str, ordinal: int) -> str:
        facts = self._facts(None)
        owner = facts.forked_from if place.copied and facts.forked_from else place.session
        return f"{owner}/queued/{digest}/{ordinal}"


def _turn_at(place: Place, key: str, origin: Origin) -> RunningTurn:
    return RunningTurn(
        id=record_id("turn", key),
        prompt_message=record_id("message", key),
        conversation=place.conversation,
        origin=origin,
        created_at=place.at,
        project=place.project,
        copied=place.copied,
    )
