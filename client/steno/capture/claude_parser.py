"""The parser of Claude Code's lines: what each kind of line means."""

from collections.abc import Callable
from pathlib import Path

from steno.capture import claude_lines as lines
from steno.capture.agent import BROKEN_LINE, Outcome, mended, objects_in
from steno.capture.claude_content import (
    NO_TYPE,
    Part,
    Said,
    UserContent,
    assistant_parts,
    said_by,
    user_content,
)
from steno.capture.claude_ledger import Ledger
from steno.capture.claude_lines import Body, Line, text_or_none
from steno.capture.claude_records import Place, title_text
from steno_schema.records import AnyRecord, MessageKind, Origin

_SYNTHETIC = "<synthetic>"
_OBJECT_BLOCKS = 16
"""Places in the order of messages for each of several objects on one line."""
_ORIGINS: dict[Said, Origin] = {
    Said.HUMAN: "human",
    Said.PLAN: "plan",
    Said.COMMAND: "command",
    Said.SHELL: "shell",
}
_KINDS: dict[Said, MessageKind] = {Said.HUMAN: "text", Said.INTERRUPT: "notice"}


class ClaudeParser:
    """Parser of one file; what it promises stands at ``steno.capture.agent.Parser``."""

    def __init__(self, path: Path, state: bytes = b"") -> None:
        self._ledger = Ledger(path, state)
        self.session: str | None = None
        self.last_event_at: str | None = None
        self.folder: str | None = None
        self.version: str | None = None
        self.kind = ""
        self._show()
        self._handlers: dict[str, Callable[[Line, Place], bool]] = {
            "user": self._user,
            "assistant": self._assistant,
            "system": self._system,
            "attachment": self._attachment,
            "progress": self._progress,
            "queue-operation": self._queue,
            "ai-title": self._title,
            "custom-title": self._title,
            "summary": self._summary,
        }

    def feed(self, number: int, line: bytes) -> Outcome:
        """Take line ``number``; never raises, whatever the bytes are."""
        self.kind = ""
        try:
            outcome = self._object(number, line)
        except (ValueError, RecursionError):
            outcome = self._recover(number, line)
        self._show()
        return outcome

    @property
    def made(self) -> int:
        """Records made so far, but for those of the session itself."""
        return self._ledger.made

    def take(self) -> list[AnyRecord]:
        """Return the records made since the last call, sessions first."""
        return self._ledger.take()

    def state(self) -> bytes:
        """Return what a new parser needs to go on after the last line fed."""
        return self._ledger.state()

    def _show(self) -> None:
        known = self._ledger.known
        self.session = known.session.key if known.session else None
        self.last_event_at = known.last_event_at
        self.folder = known.folder
        self.version = known.version

    def _recover(self, number: int, line: bytes) -> Outcome:
        text = mended(line).strip()
        outcomes: set[Outcome] = set()
        recovered_bytes = 0
        for index, found in enumerate(objects_in(text, lines.OBJECT)):
            recovered_bytes += len(found)
            try:
                outcomes.add(self._object(number, found, index * _OBJECT_BLOCKS))
            except (ValueError, RecursionError):
                outcomes.add(Outcome.NOT_UNDERSTOOD)
        if recovered_bytes < len(text):
            self.kind = BROKEN_LINE
        if recovered_bytes < len(text) or Outcome.NOT_UNDERSTOOD in outcomes:
            return Outcome.NOT_UNDERSTOOD
        return Outcome.RECORDS if Outcome.RECORDS in outcomes else Outcome.SKIPPED

    def _object(self, number: int, data: bytes, first_block: int = 0) -> Outcome:
        line = lines.LINE.decode(data)
        self.kind = line.type
        known = self._ledger.known
        known.version = text_or_none(line.version) or known.version
        handler = self._handlers.get(line.type)
        if handler is None and line.type not in lines.SKIPPED_TYPES:
            return Outcome.NOT_UNDERSTOOD
        place = self._ledger.place(number, first_block, line, data)
        if handler is None:
            return Outcome.SKIPPED
        made = self._ledger.made
        if not handler(line, place):
            return Outcome.NOT_UNDERSTOOD
        return Outcome.RECORDS if self._ledger.made > made else Outcome.SKIPPED

    # Kinds of lines. Each tells whether it was understood, and decodes before it changes anything.

    def _user(self, line: Line, place: Place) -> bool:
        body, whole = lines.body_of(line.message)
        content, unknown = user_content(body)
        self._ledger.has_text(place, content.typed)
        if content.results:
            self._tool_results(line, place, content)
        else:
            self._user_text(place, *said_by(line, content, of_agent=place.of_agent))
        return self._understood(whole, unknown)

    def _understood(self, whole: bool, unknown: str) -> bool:
        """Tell whether all of a message was, and name the block that was not."""
        if unknown:
            self._inner(unknown)
        return whole and not unknown

    def _inner(self, kind: str) -> None:
        """Tell the kind of what is inside of the line."""
        self.kind += "/" + kind

    def _tool_results(self, line: Line, place: Place, content: UserContent) -> None:
        if self._ledger.known.copying:
            place = place._replace(copied=True)
        for part in content.results:
            self._ledger.say(place, "tool", part)
        if not content.text:
            return
        said, text = said_by(line, content, of_agent=place.of_agent)
        last = Part(content.results[-1].block + 1, _KINDS.get(said, "injected"), text)
        self._ledger.say(place, "user", last)
        if said is Said.INTERRUPT:
            self._ledger.end_turn("aborted")

    def _user_text(self, place: Place, said: Said, text: str) -> None:
        if said is Said.NOTHING or not text:
            return
        origin = _ORIGINS.get(said)
        if origin is not None:
            self._ledger.start_turn(place, origin, text)
            return
        self._ledger.say(place, "user", Part(0, _KINDS.get(said, "injected"), text))
        if said is Said.INTERRUPT:
            self._ledger.end_turn("aborted")
        elif said is Said.LOCAL_OUTPUT:
            self._ledger.end_local_command()

    def _assistant(self, line: Line, place: Place) -> bool:
        body, whole = lines.body_of(line.message)
        parts, unknown = assistant_parts(body)
        synthetic = body.model == _SYNTHETIC
        failed = bool(line.is_api_error_message)
        self._answer(place, body, parts, notice=synthetic or failed)
        if not synthetic:
            self._ledger.count(place, body, line.request_id)
        if not place.of_agent:
            replied = bool(parts) and not synthetic and not failed
            self._ledger.answered(copied=place.copied, failed=failed, replied=replied)
        return self._understood(whole, unknown)

    def _answer(self, place: Place, body: Body, parts: list[Part], *, notice: bool) -> None:
        model = None if body.model == _SYNTHETIC else text_or_none(body.model)
        for part in parts:
            if part.kind == "tool_result":
                self._ledger.say(place, "tool", part)
            elif notice and part.kind == "text":
                self._ledger.say(place, "assistant", part._replace(kind="notice"), model)
            else:
                self._ledger.say(place, "assistant", part, model)

    def _system(self, line: Line, place: Place) -> bool:
        self._inner(line.subtype or NO_TYPE)
        if line.subtype == "local_command" and isinstance(line.content, str):
            content = UserContent(line.content, line.content, [])
            self._user_text(place, *said_by(line, content, of_agent=place.of_agent))
            return True
        return line.subtype is None or line.subtype in lines.SKIPPED_SYSTEM

    def _progress(self, line: Line, place: Place) -> bool:
        progress = lines.PROGRESS.decode(line.data)
        self._inner(progress.type or NO_TYPE)
        if progress.type != "agent_progress":
            return progress.type in lines.SKIPPED_PROGRESS
        nested = lines.NESTED.decode(progress.message)
        body, whole = lines.body_of(nested.message)
        place = place._replace(
            key=nested.uuid or place.key,
            conversation=self._ledger.thread(place.session, progress.agent_id),
            exchange=None,
            at=self._ledger.moment(nested.timestamp).at if nested.timestamp else place.at,
            of_agent=True,
            nested=True,
        )
        if nested.type == "assistant":
            parts, unknown = assistant_parts(body)
            self._answer(place, body, parts, notice=body.model == _SYNTHETIC)
            if body.model != _SYNTHETIC:
                self._ledger.count(place, body, nested.request_id)
            return self._understood(whole, unknown)
        content, unknown = user_content(body)
        for part in content.results:
            self._ledger.say(place, "tool", part)
        if content.text and not content.results:
            self._ledger.say(place, "user", Part(0, "injected", content.text))
        return self._understood(whole, unknown) and nested.type == "user"

    def _queue(self, line: Line, place: Place) -> bool:
        text = line.content if isinstance(line.content, str) else ""
        self._inner(line.operation or NO_TYPE)
        known = self._ledger.known
        if line.operation == "enqueue":
            known.enqueue(text)
            self._ledger.maybe_forked(line)
        elif line.operation == "popAll":
            known.waiting = []
        elif line.operation in {"dequeue", "remove"}:
            waiting = known.dequeue(text)
            if line.operation == "remove" and not waiting.lstrip().startswith(("<", "/")):
                self._ledger.left_queue(place, waiting, attached=False)
        else:
            return False
        return True

    def _attachment(self, line: Line, place: Place) -> bool:
        attachment = lines.ATTACHMENT.decode(line.attachment)
        self._inner(attachment.type or NO_TYPE)
        if attachment.type != "queued_command":
            return attachment.type in lines.SKIPPED_ATTACHMENTS
        if attachment.command_mode in (None, "prompt") and not place.of_agent:
            text = lines.prompt_text(attachment)
            if not text.lstrip().startswith("<"):
                self._ledger.left_queue(place, text, attached=True)
        return True

    def _title(self, line: Line, place: Place) -> bool:
        by_user = line.type == "custom-title"
        title = title_text(line.custom_title if by_user else line.ai_title)
        if title and not place.of_agent:
            self._ledger.title(title, by_user=by_user)
        return True

    def _summary(self, line: Line, place: Place) -> bool:
        """Take a summary for the title if it names this session's last record.

        Most name one in quite another file.
        """
        title = title_text(line.summary)
        last = self._ledger.known.last_uuid
        if title and last and line.leaf_uuid == last and not place.of_agent:
            self._ledger.title(title, by_user=False)
        return True
