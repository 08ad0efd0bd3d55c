"""What a tool call did: files it made, changed or read, and commands it ran.

One reader for all agents. They call their tools and arguments much alike, so names are compared
without case and joints (``run_shell_command``, ``runShellCommand``); an agent that calls them
otherwise adds its words to the tables. A tool that no table knows did nothing that is told here.
"""

import re
import shlex
from typing import Any, Literal

import msgspec
from msgspec import Struct

ActKind = Literal["created", "modified", "read", "ran"]

ACTS_MAX = 200
"""Of one call; a patch of a thousand files is not told file by file."""
COMMAND_MAX_CHARS = 2000
PATH_MAX_CHARS = 1000
RESULT_SEEN_CHARS = 400
"""Of a result only the beginning is looked at: it says whether a file was new."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CREATES = _names("write writefile writetofile createfile create newfile savefile createnewfile")
MODIFIES = _names("""
    edit multiedit editfile strreplace replace replaceinfile applydiff searchreplace
    searchandreplace notebookedit insertcontent updatefile insert strreplaceeditor
    strreplacebasededittool editor
""")
READS = _names("read readfile view viewfile open openfile cat notebookread fileread")
RUNS = _names("""
    bash shell shellcommand execcommand exec runshellcommand executecommand localshell
    localshellcall terminal runterminalcmd runterminalcommand runinterminal runcommand run
    powershell containerexec unifiedexec command
""")
PATCHES = _names("applypatch patch")
PATHS = _names("filepath path filename file absolutepath targetfile notebookpath relativepath uri")
COMMANDS = _names("command cmd commandline script input code")
_EDITOR_COMMANDS: dict[str, ActKind] = {
    "create": "created",
    "view": "read",
    "str_replace": "modified",
    "insert": "modified",
}
"""What editor tools are told in their argument ``command``."""
_SHELLS = _names("bash sh zsh fish dash powershell powershell.exe pwsh cmd cmd.exe")
_JOINTS = re.compile(r"[^a-z0-9]")
_PATCH_BEGIN = "*** Begin Patch"
_PATCH_LINE = re.compile(r"^\*\*\* (Add|Update|Delete|Move to)(?: File)?: (.+?)\s*$", re.MULTILINE)
_SCRIPTED = re.compile(
    r"tools\.(\w+)\(\s*(?:\{[^{}`\"]*?\b(?:cmd|command|input)\s*:\s*)?"
    r"(\"(?:[^\"\\\n]|\\.)*+\"|`[^`]*`)"
)
_PATCHED: dict[str, ActKind] = {"Add": "created", "Update": "modified", "Move to": "created"}
_WAS_THERE = re.compile(r"\b(?:updated|overw\w+|modified|replaced|edited)\b")


class Act(Struct, frozen=True):
    """One thing done: its kind, and the path of the file or the text of the command."""

    kind: ActKind
    what: str


class Result(Struct, frozen=True):
    """What a call was answered, as far as it is known."""

    text: str = ""
    is_error: bool = False


def acts_of(tool: str, content: str, result: Result) -> list[Act]:
    """Return what a call of ``tool`` did; ``content`` is its argument, as JSON or as plain text.

    A call that failed changed no file, but a command that failed was run.
    """
    name = _plain(tool.rsplit("__", 1)[-1])
    if name in RUNS and "tools." in content and (told := _told_by_script(content)):
        return [act for act in told[:ACTS_MAX] if act.kind == "ran" or not result.is_error]
    arguments = _arguments(content)
    patch = _patch_in(content, arguments) if _PATCH_BEGIN in content else None
    if patch is not None and (name in PATCHES or name in RUNS):
        acts = _patched(patch)
    elif name in RUNS:
        command = _command(arguments, content)
        return [Act("ran", _cut(command, COMMAND_MAX_CHARS))] if command.strip() else []
    else:
        acts = _on_files(name, arguments, result)
    return [] if result.is_error else acts[:ACTS_MAX]


def _told_by_script(script: str) -> list[Act]:
    """Return what a script that calls tools by name tells them, as Codex writes such scripts."""
    acts: list[Act] = []
    for tool, text in _SCRIPTED.findall(script):
        try:
            told = text[1:-1] if text[0] == "`" else msgspec.json.decode(text, type=str)
        except msgspec.DecodeError:
            continue
        if _PATCH_BEGIN in told:
            acts += _patched(told)
        elif _plain(tool) in RUNS:
            acts.append(Act("ran", _cut(told, COMMAND_MAX_CHARS)))
    return acts


def _on_files(name: str, arguments: dict[str, Any], result: Result) -> list[Act]:
    kind: ActKind
    if name in CREATES:
        kind = "created"
    elif name in READS:
        kind = "read"
    elif name in MODIFIES:
        kind = _EDITOR_COMMANDS.get(str(arguments.get("command")), "modified")
        if arguments.get("oldstring") == "":
            kind = "created"
    else:
        return []
    if kind == "created" and _WAS_THERE.search(result.text[:RESULT_SEEN_CHARS].lower()):
        kind = "modified"
    for key, value in arguments.items():
        if key in PATHS and isinstance(value, str) and value.strip():
            return [Act(kind, _cut(value.removeprefix("file://"), PATH_MAX_CHARS))]
    return []


def _arguments(content: str) -> dict[str, Any]:
    """Return the arguments under their plain names; none where there is no JSON object."""
    try:
        decoded = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    if not isinstance(decoded, dict):
        return {}
    return {_plain(str(name)): value for name, value in decoded.items()}


def _command(arguments: dict[str, Any], content: str) -> str:
    if not arguments:
        return content
    for name, value in arguments.items():
        if name not in COMMANDS:
            continue
        if isinstance(value, str):
            return value
        if isinstance(value, list) and value:
            words = [str(word) for word in value]
            through_shell = words[0].rsplit("/", 1)[-1] in _SHELLS and len(words) > 2
            return words[-1] if through_shell else shlex.join(words)
    return ""


def _patch_in(content: str, arguments: dict[str, Any]) -> str:
    """Return the text of a patch, out of whatever argument it stands in."""
    for value in arguments.values():
        inside = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        if _PATCH_BEGIN in inside:
            return inside
    return content


def _patched(patch: str) -> list[Act]:
    return [
        Act(_PATCHED[verb], _cut(path, PATH_MAX_CHARS))
        for verb, path in _PATCH_LINE.findall(patch)
        if verb in _PATCHED
    ]


def _plain(name: str) -> str:
    return _JOINTS.sub("", name.lower())


def _cut(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"
