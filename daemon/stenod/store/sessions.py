"""Sessions and conversations: known by their key, completed by every record that names it.

What is said later (by the session's own clock) wins; what is said once stays. That makes the
order in which a transcript's stretches, or its copies, arrive of no account.
"""

from typing import Any

from steno_schema.records import Conversation, Session
from stenod.store.context import (
    Context,
    json_or_none,
    moment,
    optional_moment,
    uid_of,
)
from stenod.store.rows import fetch_one

_UPDATE_SESSION = """
UPDATE session SET uid = ?1,
  agent = iif(?9, coalesce(?2, agent), coalesce(agent, ?2)),
  user = iif(?9, coalesce(?3, user), coalesce(user, ?3)),
  project = coalesce(project, ?4),
  title = iif(?9, coalesce(?5, title), coalesce(title, ?5)),
  status = iif(?9, ?6, status),
  metadata = iif(?9, coalesce(?7, metadata), coalesce(metadata, ?7)),
  created_at = min(created_at, coalesce(?8, created_at)),
  started_at = min(coalesce(started_at, ?10), coalesce(?10, started_at)),
  ended_at = coalesce(?11, ended_at),
  last_active_at = coalesce(max(iif(started_at IS NULL, 0, last_active_at), ?12), last_active_at),
  updated_at = ?13
WHERE id = ?14
"""


def put_session(context: Context, record: Session) -> str:
    """Store a session, or complete the one that has its key."""
    now = context.now()
    started = optional_moment(record.started_at)
    created = moment(record.created_at, started if started is not None else now)
    return _put_session(context, record, created, moment(record.last_active_at, created))


def merge_session(context: Context, record: Session) -> str:
    """Store a captured session; one that tells no time (a sub-agent's) is given none."""
    if record.created_at or record.started_at or record.last_active_at:
        return put_session(context, record)
    return _put_session(context, record, None, None)


def _put_session(
    context: Context, record: Session, created: int | None, active: int | None
) -> str:
    uid = uid_of(record.id)
    now = context.now()
    started = optional_moment(record.started_at)
    if started is None:
        started = created
    row = fetch_one(
        context.connection,
        "SELECT id, uid, last_active_at, started_at FROM session WHERE key = ?",
        (record.key,),
    )
    if row is None:
        if context.is_gone(uid):
            return "gone"
        context.connection.execute(
            "INSERT INTO session (uid, key, agent, user, project, title, status, metadata,"
            " created_at, updated_at, started_at, ended_at, last_active_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                uid,
                record.key,
                record.agent,
                record.user,
                record.project,
                record.title,
                record.status,
                json_or_none(record.metadata),
                now if created is None else created,
                now,
                started,
                optional_moment(record.ended_at),
                now if active is None else active,
            ),
        )
        return "created"
    row_id, _, known_active, known_started = row
    newer = known_started is None or (active is not None and active >= known_active)
    context.connection.execute(
        _UPDATE_SESSION,
        (
            uid,
            record.agent,
            record.user,
            record.project,
            record.title,
            record.status,
            json_or_none(record.metadata),
            created,
            newer,
            started,
            optional_moment(record.ended_at),
            active,
            now,
            row_id,
        ),
    )
    return "updated"


def put_conversation(context: Context, record: Conversation) -> str:
    """Store a conversation, or complete the one that has its key."""
    uid = uid_of(record.id)
    now = context.now()
    started = optional_moment(record.started_at)
    created = moment(record.created_at, started if started is not None else now)
    known = context.keys.known_conversation(record.key)
    if known is None and context.is_gone(uid):
        return "gone"
    session_id = None
    if record.session is not None or known is None:
        session_id = context.keys.session(record.session or record.key, now)
    parent_id = None
    if record.parent is not None:
        parent_id = context.keys.conversation(
            record.parent, session_id or context.keys.session(record.parent, now), now
        )
    values: dict[str, Any] = {
        "uid": uid,
        "session_id": session_id,
        "parent_id": parent_id,
        "user": record.user,
        "title": record.title,
        "summary": record.summary,
        "ended_at": optional_moment(record.ended_at),
        "metadata": json_or_none(record.metadata),
    }
    if known is None:
        values |= {"key": record.key, "kind": record.kind}
        values |= {"created_at": created, "updated_at": now}
        values["started_at"] = started if started is not None else created
        context.connection.execute(
            f"INSERT INTO conversation ({', '.join(values)})"
            f" VALUES ({', '.join('?' * len(values))})",
            tuple(values.values()),
        )
        return "created"
    told = {name: value for name, value in values.items() if value is not None}
    if record.kind == "subagent":
        told["kind"] = record.kind
    assignments = ", ".join(f"{name} = ?" for name in told)
    context.connection.execute(
        f"UPDATE conversation SET {assignments}, created_at = min(created_at, ?),"
        " started_at = min(coalesce(started_at, ?), coalesce(?, started_at)), updated_at = ?"
        " WHERE id = ?",
        (*told.values(), created, started, started, now, known),
    )
    return "updated"
