"""Sessions and conversations: known by their key, completed by every record that names it.

What is said later (by the session's own clock) wins; what is said once stays. That makes the
order in which a transcript's stretches, or its copies, arrive of no account. What says nothing new
changes nothing, not even when the row was changed last.
"""

from collections.abc import Mapping
from typing import Any

from steno_schema.records import Conversation, Session
from stenod.store import rivals
from stenod.store.context import (
    Context,
    json_or_none,
    moment,
    optional_moment,
    uid_of,
)
from stenod.store.rows import fetch_one


def _update(table: str, columns: Mapping[str, str]) -> str:
    """Return a statement that sets columns to expressions where any of them says otherwise."""
    news = " OR ".join(f"{name} IS NOT {value}" for name, value in columns.items())
    assignments = ", ".join(f"{name} = {value}" for name, value in columns.items())
    return f"UPDATE {table} SET {assignments}, updated_at = :now WHERE id = :row_id AND ({news})"


_UPDATE_SESSION = _update(
    "session",
    {
        "uid": ":uid",
        "agent": "iif(:newer, coalesce(:agent, agent), coalesce(agent, :agent))",
        "user": "iif(:newer, coalesce(:user, user), coalesce(user, :user))",
        "project": "coalesce(project, :project)",
        "title": "iif(:newer, coalesce(:title, title), coalesce(title, :title))",
        "status": "iif(:newer, :status, status)",
        "metadata": "iif(:newer, coalesce(:metadata, metadata), coalesce(metadata, :metadata))",
        "created_at": "min(created_at, coalesce(:created, created_at))",
        "started_at": "min(coalesce(started_at, :started), coalesce(:started, started_at))",
        "ended_at": "coalesce(:ended, ended_at)",
        "last_active_at": "coalesce(max(iif(started_at IS NULL, 0, last_active_at), :active),"
        " last_active_at)",
    },
)
_UPDATE_CONVERSATION = _update(
    "conversation",
    {
        "uid": ":uid",
        "session_id": "coalesce(:session_id, session_id)",
        "parent_id": "coalesce(:parent_id, parent_id)",
        "kind": "iif(:kind = 'subagent', :kind, kind)",
        "user": "coalesce(:user, user)",
        "title": "coalesce(:title, title)",
        "summary": "coalesce(:summary, summary)",
        "metadata": "coalesce(:metadata, metadata)",
        "created_at": "min(created_at, :created)",
        "started_at": "min(coalesce(started_at, :started), coalesce(:started, started_at))",
        "ended_at": "coalesce(:ended_at, ended_at)",
    },
)


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
        "SELECT id, metadata ->> 'forked_from', last_active_at, started_at"
        " FROM session WHERE key = ?",
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
    row_id, known_parent, known_active, known_started = row
    newer = known_started is None or (active is not None and active >= known_active)
    told = {
        "uid": uid,
        "agent": record.agent,
        "user": record.user,
        "project": record.project,
        "title": record.title,
        "status": record.status,
        "metadata": json_or_none(record.metadata),
        "created": created,
        "newer": newer,
        "started": started,
        "ended": optional_moment(record.ended_at),
        "active": active,
    }
    outcome = _complete(context, _UPDATE_SESSION, told, row_id)
    if outcome == "updated" and (record.metadata or {}).get("forked_from") != known_parent:
        rivals.settle_session(context, record.key)
    return outcome


def _complete(context: Context, update: str, told: dict[str, Any], row_id: int) -> str:
    """Run an update that changes a row only where the record says something new."""
    before = context.connection.total_changes()
    context.connection.execute(update, told | {"now": context.now(), "row_id": row_id})
    return "updated" if context.connection.total_changes() > before else "existed"


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
    told = values | {"kind": record.kind, "created": created, "started": started}
    return _complete(context, _UPDATE_CONVERSATION, told, known)
