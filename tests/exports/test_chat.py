"""Conversations in the shape that training tools read."""

import json
from pathlib import Path

from capture import claude_fixtures as claude
from capture.instance import instance_of
from exports.instances import Line, settled
from support.running import RunningDaemon

KEY = "sk-ant-api03-" + "Zq7" * 30 + "xAA"


def chats(daemon: RunningDaemon, *words: str) -> list[list[Line]]:
    settled(daemon)
    done = daemon.steno("export", "--format", "chat", *words)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(line.keys() == {"messages"} for line in lines)
    return [line["messages"] for line in lines]


def session_with_tools(folder: Path) -> None:
    lines = [
        claude.user("u0", "<system-reminder>Be brief.</system-reminder>", isMeta=True),
        claude.user("u1", "List the files"),
        claude.assistant("a1", "m1", claude.text("Looking."),
                         claude.tool_use("t1", command="ls"), stop="tool_use"),
        claude.user("u2", [claude.tool_result("t1", "a.py b.py")]),
        claude.assistant("a2", "m2", claude.text("Two files.")),
        claude.user("u3", "And now?"),
    ]  # fmt: skip
    project = folder / "-home-ada-shop"
    project.mkdir(parents=True)
    path = project / f"{claude.SESSION}.jsonl"
    path.write_bytes(b"".join(claude.raw(each) + b"\n" for each in lines))


def test_a_conversation_is_a_line_in_the_messages_shape(tmp_path: Path) -> None:
    session_with_tools(tmp_path / "source")
    daemon = instance_of(tmp_path, "claude", tmp_path / "source")
    daemon.start()
    try:
        daemon.captured()
        (plain,) = chats(daemon)
        (whole,) = chats(daemon, "--tools")
        none = chats(daemon, "--agent", "codex")
    finally:
        daemon.stop()
    assert plain == [
        {"role": "user", "content": "List the files"},
        {"role": "assistant", "content": "Looking.\n\nTwo files."},
    ]
    call = {"name": "Bash", "arguments": '{"command":"ls"}'}
    assert whole == [
        {"role": "user", "content": "List the files"},
        {"role": "assistant", "content": "Looking.",
         "tool_calls": [{"id": "t1", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "t1", "content": "a.py b.py"},
        {"role": "assistant", "content": "Two files."},
    ]  # fmt: skip
    assert none == []


def test_secrets_are_taken_out_once_more(daemon_at_rest: RunningDaemon) -> None:
    daemon = daemon_at_rest
    daemon.home.mkdir()
    (daemon.home / "config.toml").write_text("[redaction]\nenabled = false\n")
    daemon.start("--no-capture")
    with daemon.client(spool=False) as client:
        client.history.save(f"My key is {KEY}", f"Do not tell {KEY}", session="s")
        assert KEY in client.history.recent(1)[0].prompt
    told = json.dumps(chats(daemon))
    assert KEY not in told
    assert "[redacted:" in told


def test_filters_choose_what_is_said(daemon: RunningDaemon) -> None:
    with daemon.client(spool=False) as client:
        for number in range(3):
            client.history.save(f"p{number}", f"o{number}", session="s", tags=[f"t{number % 2}"])
        client.history.save("other", "yes", session="t", tags=["t1"])
        client.history.save("unanswered", session="u", tags=["t1"])
        client.messages.add("v", "system", "Be kind.")
        client.messages.add("v", "user", "Hello")
        client.messages.add("v", "assistant", "Hi!")
    one = [["p1", "o1"], ["other", "yes"]]
    assert [[each["content"] for each in chat] for chat in chats(daemon, "--tag", "t1")] == one
    everything = [[each["content"] for each in chat] for chat in chats(daemon)]
    assert everything == [["p0", "o0", "p1", "o1", "p2", "o2"], ["other", "yes"],
                          ["Be kind.", "Hello", "Hi!"]]  # fmt: skip
    assert len(chats(daemon, "--limit", "2")) == 2
