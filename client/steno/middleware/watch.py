"""One request under watch: a copy of its body as the application reads it, and its record."""

import hashlib
import time
from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

from msgspec import Struct

from steno.context import project_here
from steno.middleware.fields import BODY_MAX_BYTES, Field, fields_of, is_readable
from steno.tracking.current import default_recorder, note
from steno.tracking.exchanges import tracked_exchange
from steno.tracking.guards import reason_to_skip
from steno.tracking.jobs import Job
from steno.tracking.recorder import Recorder
from steno_schema.ids import uuid7
from steno_schema.prompts import normalised
from steno_schema.records import AnyRecord
from steno_schema.times import format_ms

PHASE = "Web Interface"
SESSION_HEADERS = ("x-session-id",)
SESSION_COOKIES = ("session_id", "sessionid", "session")
SESSION_MAX_CHARS = 200
SERVER_ERROR = 500
_DIGITS_MAX = 20


class Request(Struct, frozen=True, kw_only=True):
    """What a request says before its body. Header names are in lower case."""

    interface: str
    method: str
    path: str
    url_query: bytes
    headers: Mapping[str, str]


class Watch:
    """Collects what passes; nothing here raises or changes it."""

    def __init__(
        self, request: Request, context: Mapping[str, Any], recorder: Recorder | None
    ) -> None:
        self.status_code: int | None = None
        self._request = request
        self._context = context
        self._recorder = recorder
        self._begun_ms = time.time_ns() // 1_000_000
        self._clock_s = time.perf_counter()
        self._duration_ms: float | None = None
        self._body: list[bytes] = []
        self._size_bytes = 0
        self._is_collecting = _has_readable_body(request.headers)
        self._has_ended = False

    def body(self, piece: bytes | memoryview) -> None:
        """Keep a copy of a piece of the body, as long as the whole is not too long."""
        if not self._is_collecting:
            return
        try:
            self._size_bytes += len(piece)
            self._is_collecting = self._size_bytes <= BODY_MAX_BYTES
            if self._is_collecting:
                self._body.append(bytes(piece))
            else:
                self._body.clear()
        except Exception as error:
            self._is_collecting = False
            note(error, self._recorder)

    def responded(self) -> None:
        """Note that the response is complete; what the application does later is not timed."""
        if self._duration_ms is None:
            self._duration_ms = (time.perf_counter() - self._clock_s) * 1000

    def end(self, error: BaseException | None = None) -> None:
        """Give the request to the recorder, once."""
        if self._has_ended:
            return
        self._has_ended = True
        try:
            self.responded()
            self._record(error)
        except Exception as problem:
            note(problem, self._recorder)

    def _record(self, error: BaseException | None) -> None:
        body = b"".join(self._body) if self._is_whole() else b""
        if not body and not self._request.url_query:
            return
        recorder = self._recorder or default_recorder()
        tracking = recorder.context.settings.tracking
        if not tracking.enabled:
            return
        status = _status(error, self.status_code)
        job = Job(
            make=lambda: self._records(recorder, body, status),
            chars=len(body) + len(self._request.url_query),
            duplicate_check=tracking.duplicate_check if status == "completed" else "off",
        )
        recorder.put(job)

    def _is_whole(self) -> bool:
        """A body that the application read in part could hold half a prompt."""
        return self._is_collecting and _length(self._request.headers) in {None, self._size_bytes}

    def _records(self, recorder: Recorder, body: bytes, status: str) -> list[AnyRecord]:
        """Return the exchanges of all prompts found; runs in the recorder's thread."""
        request = self._request
        content_type = request.headers.get("content-type", "")
        found = fields_of(request.url_query, content_type, body)
        if not found:
            return []
        words = self._words(recorder, status)
        settings = recorder.context.settings
        records: list[AnyRecord] = []
        for field in found:
            prompt = normalised(field.text)
            reason = reason_to_skip(settings, prompt, project_here(), words["project"])
            if reason is not None:
                recorder.skipped(reason)
                continue
            records.append(
                tracked_exchange(
                    prompt,
                    "",
                    {**words, "id": uuid7()},
                    self._metadata(field),
                    tracking=settings.tracking,
                )
            )
        return records

    def _words(self, recorder: Recorder, status: str) -> dict[str, Any]:
        context = recorder.context
        return {
            "user": context.user(),
            "project": context.project(),
            "phase": PHASE,
            **self._context,
            "session": session_of(self._request.headers) or context.session(),
            "current_file": self._request.path,
            "created_at": format_ms(self._begun_ms),
            "response_time_ms": self._duration_ms,
            "status": status,
        }

    def _metadata(self, field: Field) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            "interface": self._request.interface,
            "method": self._request.method,
            "field": field.key,
            "part": field.part,
            "status_code": self.status_code,
            "user_agent": self._request.headers.get("user-agent"),
        }
        return {name: value for name, value in metadata.items() if value is not None}


def session_of(headers: Mapping[str, str]) -> str | None:
    """Return the session that a request belongs to; ``None`` if nothing tells.

    That is a session header as it is, else a session cookie, else the user agent. A cookie opens
    its owner's account, so what is kept is its hash.
    """
    for name in SESSION_HEADERS:
        if headers.get(name, "").strip():
            return headers[name].strip()[:SESSION_MAX_CHARS]
    cookies = _cookies(headers.get("cookie", ""))
    for name in SESSION_COOKIES:
        if cookies.get(name):
            digest = hashlib.blake2b(cookies[name].encode("utf-8", "replace"), digest_size=12)
            return f"web-{digest.hexdigest()}"
    return headers.get("user-agent", "").strip()[:SESSION_MAX_CHARS] or None


def is_ignored(path: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a path matches one of the patterns (``/admin/*``) that stay out."""
    return any(fnmatch(path, pattern) for pattern in patterns)


def _cookies(header: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in header.split(";")]
    return {name.strip(): value.strip() for name, _, value in pairs}


def _has_readable_body(headers: Mapping[str, str]) -> bool:
    if (_length(headers) or 0) > BODY_MAX_BYTES:
        return False
    if headers.get("content-encoding", "identity").lower() != "identity":
        return False
    return is_readable(headers.get("content-type", ""))


def _length(headers: Mapping[str, str]) -> int | None:
    told = headers.get("content-length", "").strip()
    return int(told) if told.isdecimal() and len(told) < _DIGITS_MAX else None


def _status(error: BaseException | None, status_code: int | None) -> str:
    if error is not None:
        return "failed" if isinstance(error, Exception) else "aborted"
    return "failed" if status_code is not None and status_code >= SERVER_ERROR else "completed"
