"""How an exchange looks on a terminal and in a pipe."""

from typing import TYPE_CHECKING

from steno.cli.screen import escape_line
from steno.cli.tables import clip

if TYPE_CHECKING:
    from steno.cli.screen import Screen
    from steno_schema.records import Tokens
    from steno_schema.replies import ExchangeView, Signals

_PIPE_PROMPT_CHARS = 500


def base_name(project: str | None) -> str:
    """Return a project's last part, as people call it."""
    return (project or "").rstrip("/").rpartition("/")[2]


def print_list(screen: "Screen", items: "list[ExchangeView]") -> None:
    """Print one line an exchange: on a terminal with its number, in a pipe with its id."""
    if screen.is_terminal:
        rows = [
            [item.number, screen.time(item.created_at), item.agent, base_name(item.project),
             item.prompt[: screen.width * 2]]
            for item in items
        ]  # fmt: skip
        screen.table(["id", "when", "agent", "project", "prompt"], rows)
        return
    lines = [
        [item.id, item.created_at, item.agent, item.project, clip(item.prompt, _PIPE_PROMPT_CHARS)]
        for item in items
    ]
    screen.table(["id", "when", "agent", "project", "prompt"], lines, header_in_pipe=False)


def print_full(screen: "Screen", item: "ExchangeView") -> None:
    """Print everything about an exchange, then its prompt and its output in full."""
    screen.line(screen.style(f"exchange {item.number}", "bold") + f"  {escape_line(item.id)}")
    for name, value in _facts(screen, item):
        if value:
            screen.line(f"{screen.style(f'{name:<12}', 'dim')} {escape_line(value)}")
    for title, text in (("prompt", item.prompt), ("output", item.output), ("notes", item.notes)):
        if text:
            screen.line()
            screen.line(screen.style(f"── {title} ──", "cyan"))
            screen.text(text)


def tokens_text(tokens: "Tokens | None") -> str:
    """Return token counts as words; a count that is not final says so."""
    if tokens is None:
        return ""
    parts = [
        (tokens.input, "in"),
        (tokens.cache_read, "cache read"),
        (tokens.cache_write, "cache write"),
        (tokens.output, "out"),
        (tokens.reasoning, "of it reasoning"),
    ]
    words = [f"{number:,} {name}" for number, name in parts if number]
    if tokens.total is not None and not words:
        words = [f"{tokens.total:,} in all"]
    return ", ".join(words) + ("" if tokens.complete else " (not final)")


def _facts(screen: "Screen", item: "ExchangeView") -> list[tuple[str, str]]:
    seconds = None if item.response_time_ms is None else item.response_time_ms / 1000
    analysis = [item.category, item.complexity, item.stage, item.technique, item.phase]
    made_with = [item.framework, item.template]
    return [
        ("when", screen.time(item.created_at)),
        ("agent", item.agent or ""),
        ("project", item.project or ""),
        ("session", item.session_id or ""),
        ("conversation", item.conversation_id or ""),
        ("user", item.user or ""),
        ("model", item.model or ""),
        ("made with", ", ".join(part for part in made_with if part)),
        ("tokens", tokens_text(item.tokens)),
        ("cost", "" if item.cost_usd is None else f"${item.cost_usd:.6g}"),
        ("status", "" if item.status == "completed" else item.status),
        ("took", "" if seconds is None else f"{seconds:.3g} s"),
        ("file", item.current_file or ""),
        ("analysis", ", ".join(part for part in analysis if part)),
        ("keywords", ", ".join(item.keywords or [])),
        ("tags", ", ".join(item.tags)),
        ("rating", "" if item.rating is None else f"{item.rating:g} of 10"),
        ("follow-up", "needed" if item.follow_up else ""),
        ("summary", item.response_summary or ""),
        ("metadata", _metadata_text(item)),
        ("created", ", ".join(item.files_created or [])),
        ("modified", ", ".join(item.files_modified or [])),
        ("commands", "; ".join(item.commands_executed or [])),
        ("signals", _signals_text(item.signals) if item.signals else ""),
    ]


def _signals_text(signals: "Signals") -> str:
    parts = [
        f"{signals.tool_calls:,} tool calls" if signals.tool_calls else "",
        f"{signals.tool_errors:,} errors" if signals.tool_errors else "",
        "interrupted" if signals.interrupted else "",
        "corrected by the next prompt" if signals.corrected else "",
    ]
    return ", ".join(part for part in parts if part)


def _metadata_text(item: "ExchangeView") -> str:
    if not item.metadata:
        return ""
    from steno.cli.jsontext import to_json

    return to_json(item.metadata)
