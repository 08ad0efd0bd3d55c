"""What ``steno capture status`` says below its table: versions, what is unknown, what goes when."""

from collections.abc import Iterator
from typing import Any

from steno.cli.screen import escape_line

VERSIONS_SHOWN = 3
KINDS_SHOWN = 5


def coverage(agents: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a paragraph for each agent, its newest versions first."""
    for agent in agents:
        yield ""
        yield f"{escape_line(agent['agent'])}:"
        versions: list[dict[str, Any]] = agent.get("versions") or []
        for version in versions[:VERSIONS_SHOWN]:
            yield f"  {_version(version)}"
            yield from _unknown(version)
        if len(versions) > VERSIONS_SHOWN:
            yield f"  and {len(versions) - VERSIONS_SHOWN} other versions (--json tells all)"
        for line in (*_sessions(agent), *_retention(agent)):
            yield f"  {line}"


def _version(version: dict[str, Any]) -> str:
    name = escape_line(version["version"] or "version not told")
    share = f"{version['understood_share']:.2%} understood"
    yields = f"{version['records_per_line']:.2f} records a line"
    return f"{name}: {version['lines']:,} lines in {version['files']:,} files, {share}, {yields}"


def _unknown(version: dict[str, Any]) -> Iterator[str]:
    unknown = [kind for kind in version["kinds"] if kind["lines_not_understood"]]
    for kind in unknown[:KINDS_SHOWN]:
        yield f"    not understood: {kind['lines_not_understood']:,} × {escape_line(kind['kind'])}"


def _sessions(agent: dict[str, Any]) -> Iterator[str]:
    if agent.get("files_without_session"):
        yield f"{agent['files_without_session']:,} files without a session"
    if agent.get("sessions_without_messages"):
        yield f"{agent['sessions_without_messages']:,} sessions without messages"
    if agent.get("files_away"):
        yield f"{agent['files_away']:,} files are on a disk that is not there just now"
    if agent.get("sessions_only_here"):
        yield f"{agent['sessions_only_here']:,} sessions are only here: their files are gone"


def _retention(agent: dict[str, Any]) -> Iterator[str]:
    told: dict[str, Any] | None = agent.get("retention")
    if not told:
        return
    by = "by default" if told["said_by"] == "default" else f"by {escape_line(told['said_by'])}"
    if told["days"] == 0:
        yield f"it writes no transcripts at all ({by}); only hooks can tell what is said"
    elif told["days"]:
        yield f"it deletes its files {told['days']:g} days after the last write ({by})"
    if told["most"]:
        yield f"it keeps {told['most']:,} sessions at most ({by})"
    if told["next_at"]:
        soon = (
            f"{told['files_soon']:,} files go within a week, the first on {told['next_at'][:10]}"
        )
        yield f"{soon}; what they say stays here"
