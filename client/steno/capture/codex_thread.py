"""Which thread a rollout tells of, and where the copied history at the head of a fork ends."""

import re
from pathlib import Path

from steno.capture.codex_state import State, Thread
from steno.capture.codex_wire import SessionMeta, source_of
from steno.capture.threads import key_of, path_of, time_of
from steno_schema.limits import KEY_MAX_CHARS

_COPY_GAP_MS = 1000
_METADATA_MAX_CHARS = 500
_NAME = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def thread_of(meta: SessionMeta) -> Thread | None:
    """Return the thread that a file's first ``session_meta`` names; None if its id cannot be.

    A sub-agent's thread is a conversation in the session of the root thread.
    """
    if not 1 <= len(meta.id) <= KEY_MAX_CHARS:
        return None
    source, is_subagent, parent = source_of(meta)
    root = (meta.session_id or parent) if is_subagent else None
    metadata = {
        "version": meta.cli_version,
        "originator": meta.originator,
        "source": source,
        "git_branch": meta.git.branch if meta.git else None,
        "forked_from": meta.forked_from_id,
        "agent_nickname": meta.agent_nickname,
        "agent_path": meta.agent_path,
    }
    return Thread(
        key=meta.id,
        session=key_of(root) or meta.id,
        parent=key_of(parent),
        is_subagent=is_subagent,
        project=path_of(meta.cwd),
        started_at=time_of(meta.timestamp)[0],
        metadata={name: text[:_METADATA_MAX_CHARS] for name, text in metadata.items() if text},
    )


def thread_named_by(path: Path) -> Thread:
    """Return the thread as the file's name has it, for a file whose first line is gone."""
    stem = path.stem.encode("utf-8", "replace").decode()
    name = _NAME.search(stem)
    key = name[0] if name else stem[-KEY_MAX_CHARS:]
    return Thread(key=key, session=key)


def is_copied(state: State, stamp_ms: int | None) -> bool:
    """Tell whether the next line, of time ``stamp_ms``, is another thread's history.

    A copy takes no pause: it lasts until the first gap of more than a second between two lines.
    Times before the file was made (some versions keep them) are copied as well.
    """
    if not state.is_copying:
        return False
    if stamp_ms is not None:
        before = stamp_ms if state.copied_ms is None else state.copied_ms
        if stamp_ms - before > _COPY_GAP_MS and stamp_ms >= state.created_ms:
            state.is_copying = False
        state.copied_ms = stamp_ms
    return state.is_copying
