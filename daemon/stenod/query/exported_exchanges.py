"""Exchanges for an export: what was said of them, and what is known of their two messages."""

from typing import Any

from steno_schema.ids import format_id, output_id
from steno_schema.times import format_ms
from stenod.query.exported_types import (
    ID,
    Column,
    RecordType,
    columns,
    decoded,
    flag,
    list_of,
    message_rivals,
    rivals_of_exchange,
    sightings_of,
    text_of,
    tokens_of,
    tokens_sql,
)

_IS_SCRIPTS = "t.origin = 'script'"


def _own(alias: str, role: str, usual_id: str, usual_model: str) -> tuple[Column, ...]:
    """Return the columns of an exchange's own message; what is as usual is NULL."""
    m = alias
    return (
        Column(usual_id, f"{m}.uid", format_id),
        Column(
            "conversation",
            f"iif({m}.conversation_id = t.conversation_id, NULL,"
            f" (SELECT x.key FROM conversation AS x WHERE x.id = {m}.conversation_id))",
        ),
        Column(
            "exchange",
            f"iif({m}.exchange_id = t.id, NULL,"
            f" (SELECT x.uid FROM exchange AS x WHERE x.id = {m}.exchange_id))",
            format_id,
        ),
        Column("detached", f"{m}.id IS NOT NULL AND {m}.exchange_id IS NULL", flag),
        Column("role", f"nullif({m}.role, '{role}')"),
        Column("kind", f"nullif({m}.kind, 'text')"),
        Column("created_at", f"nullif({m}.created_at, t.created_at)", format_ms),
        Column("position", f"{m}.position"),
        Column("number", f"nullif({m}.id, {m}.position)"),
        Column("model", usual_model),
        Column("token_count", f"{m}.token_count"),
        Column("processing_time_s", f"{m}.processing_time_s"),
        Column("importance", f"{m}.importance"),
        Column("is_summarized", f"{m}.is_summarized", flag),
        Column("original_content", f"{m}.original_content"),
        Column("tool_name", f"{m}.tool_name"),
        Column("call_id", f"{m}.call_id"),
        Column("is_error", f"{m}.is_error", flag),
        Column("copied", f"{m}.copied", flag),
        Column("metadata", f"{m}.metadata", decoded),
        message_rivals(m),
    )


_PROMPT = _own("p", "user", "prompt_id", "p.model")
_OUTPUT = _own("o", "assistant", "output_id", f"iif({_IS_SCRIPTS}, NULL, o.model)")
_EXCHANGE = (
    ID,
    Column("prompt", text_of("p")),
    Column("output", f"coalesce({text_of('o')}, '')"),
    *columns("created_at"),
    Column("session", "s.key"),
    Column("conversation", "c.key"),
    *columns("user", "project", "agent", "framework", "template", "model"),
    Column("tokens", tokens_sql("t"), tokens_of),
    *columns("cost_usd", "status", "origin", "response_time_ms"),
    Column(
        "tags",
        "(SELECT json_group_array(tag) FROM"
        " (SELECT tag FROM exchange_tag WHERE exchange_id = t.id ORDER BY tag))",
        list_of,
    ),
    *columns("metadata", "category", "complexity", "technique", "stage", "phase"),
    *columns("current_file"),
    Column("keywords", "t.keywords", decoded),
    *columns("response_summary", "rating"),
    Column("follow_up", "t.follow_up", bool),
    *columns("notes"),
    Column("files_created", "t.files_created", decoded),
    Column("files_modified", "t.files_modified", decoded),
    Column("commands_executed", "t.commands_executed", decoded),
    Column("copied", "t.copied", flag),
    *columns("updated_at", "content_hash"),
    Column(
        "rivals",
        "(SELECT json_group_array(json_array(key, copied, status, origin, project)) FROM"
        " (SELECT k.key, r.copied, r.status, r.origin, r.project FROM exchange_rival AS r"
        " JOIN conversation AS k ON k.id = r.conversation_id WHERE r.uid = t.uid ORDER BY k.key))",
        rivals_of_exchange,
    ),
    Column(
        "sightings",
        "(SELECT json_group_array(json_array(seen_at, hex_uid)) FROM"
        " (SELECT seen_at, iif(uid IS NULL, NULL, hex(uid)) AS hex_uid FROM sighting"
        " WHERE exchange_id = t.id ORDER BY rowid))",
        sightings_of,
    ),
    Column(
        "guessed_category",
        "(SELECT a.category FROM analysis AS a JOIN exchange_tag AS g ON g.exchange_id = t.id"
        " AND g.tag = 'auto' WHERE a.exchange_id = t.id AND t.category IS NULL)",
    ),
)
EXCHANGE = RecordType(
    "exchange",
    "exchange",
    "JOIN exchange AS e ON e.id = t.id JOIN conversation AS c ON c.id = t.conversation_id"
    " JOIN session AS s ON s.id = c.session_id JOIN message AS p ON p.id = t.prompt_id"
    " LEFT JOIN message AS o ON o.id = t.output_id",
    "e.created_at",
    (*_EXCHANGE, *_PROMPT, *_OUTPUT),
)


def fields_of(columns: tuple[Column, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    """Return what a row says, without what is empty."""
    told: dict[str, Any] = {}
    for (field, _, read), value in zip(columns, row, strict=True):
        if value is None:
            continue
        made = value if read is None else read(value)
        if made is not None:
            told[field] = made
    return told


def exchange_of(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return an exchange's record."""
    first, second = len(_EXCHANGE), len(_EXCHANGE) + len(_PROMPT)
    told = fields_of(_EXCHANGE, row[:first])
    prompt = fields_of(_PROMPT, row[first:second])
    _name(prompt, "prompt_id", told["id"])
    told["prompt_message"] = prompt
    output = fields_of(_OUTPUT, row[second:])
    if "output_id" in output:
        _name(output, "output_id", format_id(output_id(row[0])))
        told["output_message"] = output
    return told


def _name(message: dict[str, Any], field: str, usual: str) -> None:
    """Say a message's id where it is not the one that saving gives it."""
    uid = message.pop(field)
    if uid != usual:
        message["id"] = uid
