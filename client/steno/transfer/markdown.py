"""An exchange as Markdown in which nobody's text is taken for markup."""

import re
from typing import TYPE_CHECKING

from steno.cli.exchanges import tokens_text
from steno.cli.screen import escape, escape_line

if TYPE_CHECKING:
    from steno_schema.replies import ExchangeView

_BACKTICKS = re.compile("`+")


def markdown_of(item: "ExchangeView") -> str:
    """Return one exchange as a section: what is known about it, its prompt, its output."""
    facts = {
        "id": item.id,
        "agent": item.agent,
        "project": item.project,
        "model": item.model,
        "tokens": tokens_text(item.tokens),
        "cost": None if item.cost_usd is None else f"${item.cost_usd:.6g}",
        "category": item.category,
        "tags": ", ".join(item.tags),
        "rating": None if item.rating is None else f"{item.rating:g} of 10",
    }
    lines = [f"## {escape_line(item.created_at)}", ""]
    lines += [f"- {name}: {_code(value)}" for name, value in facts.items() if value]
    for title, text in (("Prompt", item.prompt), ("Output", item.output), ("Notes", item.notes)):
        if text:
            lines += ["", f"### {title}", "", _block(text)]
    return "\n".join(lines) + "\n\n"


def _code(text: str) -> str:
    """Return text as inline code, whatever backticks it holds."""
    safe = escape_line(text)
    mark = "`" * (_longest_run(safe) + 1)
    blank = " " if "`" in safe else ""
    return f"{mark}{blank}{safe}{blank}{mark}"


def _block(text: str) -> str:
    """Return text between fences that are longer than any within: no HTML, no links, no images."""
    safe = escape(text)
    fence = "`" * max(_longest_run(safe) + 1, 3)
    return f"{fence}text\n{safe}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
