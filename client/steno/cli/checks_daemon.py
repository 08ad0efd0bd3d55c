"""Checks that the daemon answers: versions, database, capture."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from steno.cli.checks import Check
from steno_schema import PROTOCOL, __version__
from steno_schema.replies import Done, StatusReport, Welcome
from steno_schema.requests import Admin, Status

if TYPE_CHECKING:
    from steno.cli.command import Context


_CHECK_TIMEOUT_S = 120.0


def check_versions(welcome: Welcome) -> Check:
    """Return whether daemon and client are of one version."""
    if welcome.protocol == PROTOCOL and welcome.version == __version__:
        return Check("versions", "ok", f"daemon and client are {__version__}")
    finding = (
        f"the daemon is {welcome.version} (protocol {welcome.protocol}),"
        f" the client {__version__} (protocol {PROTOCOL})"
    )
    return Check("versions", "fail", finding, "steno restart")


def check_database(context: "Context") -> Iterator[Check]:
    """Yield whether the database is whole."""
    request = Admin(action="integrity_check")
    result = context.ask(request, Done, timeout_s=_CHECK_TIMEOUT_S).result
    problems: list[Any] = result.get("problems") or []
    if problems or result.get("ok") is False:
        broken = f"{result.get('broken_references') or 'some'} references lead nowhere"
        finding = f"it is damaged: {problems[0] if problems else broken}"
        yield Check("database", "fail", finding, "restore a backup; keep the file for salvage")
    else:
        yield Check("database", "ok", "whole")


def check_plugin(context: "Context") -> Iterator[Check]:
    """Yield how the person's own function for the analysis does, if there is one."""
    report = context.ask(Status(), StatusReport).report
    plugin: dict[str, Any] = report.get("plugin") or {}
    name, failed, waiting = plugin.get("name"), plugin.get("failed"), plugin.get("waiting")
    if not name:
        return
    told = f"{name} answered {plugin.get('answered') or 0:,} times"
    if waiting:
        told += f", {waiting:,} exchanges wait for it"
    last = plugin.get("last_failure")
    mend = "correct the function, then steno restart; steno rederive analysis asks it again"
    if plugin.get("state") == "cannot be loaded":
        yield Check("plug-in", "fail", f"{name}: {last}; the rules answer instead", mend)
    elif failed:
        finding = f"{told} and failed {failed:,} times, last: {last}; there the rules answered"
        yield Check("plug-in", "warn", finding, mend)
    else:
        yield Check("plug-in", "ok", told)


def check_redactions(context: "Context") -> Iterator[Check]:
    """Yield what redaction has taken out: how many of each kind, never the text around."""
    request = Admin(action="redactions")
    result = context.ask(request, Done, timeout_s=_CHECK_TIMEOUT_S).result
    kinds: dict[str, int] = result.get("kinds") or {}
    if not kinds:
        yield Check("secrets", "ok", "none was met in what is stored")
        return
    told = ", ".join(f"{kind} {count:,}" for kind, count in kinds.items())
    least = "" if result.get("complete") else "at least "
    finding = f"taken out of {least}{result.get('messages', 0):,} messages: {told}"
    yield Check("secrets", "ok", finding)


def check_capture(context: "Context") -> Iterator[Check]:
    """Yield whether the watcher lives, and whether it understands what it reads."""
    result = context.ask(Admin(action="capture_status"), Done).result
    backfill: dict[str, Any] = result.get("backfill") or {"state": "off"}
    watcher: dict[str, Any] = context.ask(Status(), StatusReport).report.get("capture") or {}
    if backfill.get("state") == "off":
        mend = "set capture.enabled, or name a root; then steno restart"
        yield Check("capture", "warn", "off: no agents' files are read", mend)
    elif watcher.get("running") is False:
        yield Check("capture", "fail", "the watcher does not run", "steno restart; see the log")
    else:
        yield Check("capture", "ok", f"the watcher runs (backfill: {backfill.get('state')})")
        yield from _check_sight(watcher.get("sight") or {})
    agents: list[dict[str, Any]] = result.get("agents") or []
    unknown = sum(int(agent.get("lines_not_understood") or 0) for agent in agents)
    lines = sum(int(agent.get("lines") or 0) for agent in agents)
    if unknown:
        finding = f"{unknown:,} of {lines:,} lines were not understood; their bytes are kept"
        mend = "steno capture status --files tells which; after an update: steno rederive capture"
        yield Check("lines", "warn", finding, mend)
    elif agents:
        yield Check("lines", "ok", f"all {lines:,} lines were understood")
    alarms: list[dict[str, Any]] = result.get("alarms") or []
    for alarm in alarms:
        yield Check("alarm", "warn", alarm["message"], alarm["mend"])


def _check_sight(sight: dict[str, Any]) -> Iterator[Check]:
    """Yield how changes are seen; what no event tells of is found by looking, later."""
    if sight.get("way") == "scans" and sight.get("problem"):
        finding = f"changes are found by looking every half a minute: {sight['problem']}"
        yield Check("file events", "warn", finding, "raise that limit with sysctl")
    elif sight.get("unwatched"):
        finding = (
            f"{sight['watched']:,} folders are watched, those used last;"
            f" changes in {sight['unwatched']:,} others are found by looking every half a minute"
        )
        mend = "sysctl fs.inotify.max_user_watches=524288, where that limit is lower"
        yield Check("file events", "warn", finding, mend)
    elif sight.get("way"):
        dropped = f"; the kernel dropped some {n} times" if (n := sight.get("overflows")) else ""
        yield Check("file events", "ok", f"{sight['watched']:,} folders are watched{dropped}")
