"""Retention through a real daemon: what goes is what a plain query says, and nothing else."""

import json
import random
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from steno import Client
from steno.namespaces.admin import RetentionRun
from steno_schema.config import ConfigError, load
from steno_schema.ids import uuid7
from steno_schema.paths import resolve
from steno_schema.records import AnyRecord, Exchange, Message, Session, SessionStatus
from steno_schema.requests import Admin, Append
from support.running import RunningDaemon

NOW = datetime.now(UTC)
LONG = "".join(f"{number:07} " for number in range(400))
PROJECTS = ("/srv/shop", "/srv/shop/web", "/srv/shopping", None)
AGENTS = ("codex", "python")


def ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def exchange(rng: random.Random, days: float) -> Exchange:
    return Exchange(
        id=uuid7(),
        prompt=f"prompt {rng.random()}",
        output="output",
        created_at=ago(days),
        project=rng.choice(PROJECTS),
        agent=rng.choice(AGENTS),
        session=f"s{rng.randrange(3)}",
    )


def result(days: float, text: str = LONG, conversation: str = "tools") -> Message:
    return Message(
        id=uuid7(), conversation=conversation, session="s0", role="tool", kind="tool_result",
        content=text, created_at=ago(days),
    )  # fmt: skip


def save(client: Client, *records: AnyRecord) -> None:
    client.request(Append(records=list(records)))


def settings(daemon: RunningDaemon, text: str) -> None:
    (daemon.home / "config.toml").write_text(text)
    done = daemon.log.read_text().count("configuration read again")
    daemon.send_signal(signal.SIGHUP)
    daemon.wait_for_log("configuration read again", done + 1)


def column(client: Client, query: str) -> set[str]:
    return {str(row[0]) for row in client.sql(query).rows}


def counts(run: RetentionRun) -> list[int]:
    return [policy.count for policy in run.policies]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    daemon = RunningDaemon(tmp_path_factory.mktemp("retention") / "home")
    daemon.start("--no-capture")
    yield daemon
    assert daemon.stop() == 0


IN_SHOP = "(project = '/srv/shop' OR project LIKE '/srv/shop/%')"
CHOICES = [
    ("", "1"),
    ('project = "/srv/shop"', IN_SHOP),
    ('agent = "codex"', "agent = 'codex'"),
    ('project = "/srv/shop"\nagent = "codex"', f"{IN_SHOP} AND agent = 'codex'"),
]


@pytest.mark.parametrize(("said", "where"), CHOICES)
def test_a_policy_removes_what_a_plain_query_says(
    running: RunningDaemon, said: str, where: str
) -> None:
    rng = random.Random(said)
    everything = "SELECT hex(uid) FROM exchange"
    with running.client(spool=False) as client:
        save(client, *(exchange(rng, rng.uniform(0, 60)) for _ in range(130)))
        settings(
            running, f'[[retention.policy]]\nwhat = "exchanges"\nolder_than = "30d"\n{said}\n'
        )
        cutoff = int((NOW - timedelta(days=30)).timestamp() * 1000)
        old = column(client, f"{everything} WHERE created_at < {cutoff} AND {where}")
        before = column(client, everything)
        trial = client.admin.retention_run(dry_run=True)
        assert counts(trial) == [len(old)]
        assert column(client, everything) == before, "a trial removes nothing"
        run = client.admin.retention_run()
        assert old
        assert (counts(run), run.policies[0].bytes) == ([len(old)], trial.policies[0].bytes)
        assert column(client, everything) == before - old
        assert column(client, "SELECT hex(uid) FROM tombstone") >= old
        assert counts(client.admin.retention_run()) == [0]
        assert client.admin.integrity_check().ok


def test_old_tool_results_keep_their_head_and_a_note(running: RunningDaemon) -> None:
    old, new, short = result(40), result(1), result(40, "short")
    with running.client(spool=False) as client:
        save(client, old, new, short)
        settings(running, '[[retention.policy]]\nwhat = "tool_results"\nolder_than = "2w"\n')
        went = len(LONG) - 512
        trial = client.admin.retention_run(dry_run=True)
        assert (counts(trial), trial.policies[0].bytes) == ([1], went)
        assert client.admin.retention_run() == trial
        texts = {each.id: each.content for each in client.messages.recent("s0", limit=500)}
        assert texts[old.id] == f"{LONG[:512]}\n[{went} more bytes, trimmed by retention]"
        assert (texts[new.id], texts[short.id]) == (LONG, "short")
        assert counts(client.admin.retention_run()) == [0]


def test_summarised_messages_go_and_replies_keep_their_summary(running: RunningDaemon) -> None:
    message = result(9, "the whole story", "told")
    kept = result(9, "not summarised", "told")
    asked = exchange(random.Random(1), 9)
    with running.client(spool=False) as client:
        save(client, message, kept, asked)
        reply = client.sql(
            "SELECT lower(hex(uid)) FROM message WHERE id = (SELECT output_id FROM exchange"
            f" WHERE hex(uid) = '{asked.id.replace('-', '').upper()}')"
        ).rows[0][0]
        client.messages.mark_summarised(message.id, "a story")
        client.messages.mark_summarised(str(reply), "in short")
        settings(running, '[[retention.policy]]\nwhat = "summarised"\nolder_than = "7d"\n')
        assert counts(client.admin.retention_run()) == [2]
        assert column(client, "SELECT content FROM messages WHERE conversation_id = 'told'") == {
            "not summarised"
        }
        marked = "SELECT content || coalesce(original_content, '') FROM messages"
        assert column(client, f"{marked} WHERE is_summarized") == {"in short"}


def test_beyond_a_size_tool_results_go_before_exchanges(running: RunningDaemon) -> None:
    saved = [
        Exchange(id=uuid7(), prompt=LONG * 25, created_at=ago(days), session="large")
        for days in range(100, 70, -1)
    ]
    with running.client(spool=False) as client:
        save(client, *saved, result(90, LONG * 250), result(80, LONG * 250))
        client.request(Admin(action="flush"))
        database = client.status()["database"]
        used_bytes = database["page_count"] * database["page_size"]
        settings(running, f'[retention]\nmax_size = "{(used_bytes - 2_600_000) // 10**6}MB"\n')
        trial = client.admin.retention_run(dry_run=True)
        run = client.admin.retention_run()
        assert (run.policies, counts(run)[0] >= 2) == (trial.policies, True)
        results = "SELECT max(length(content)) < 600 FROM messages WHERE role = 'tool'"
        assert column(client, results) == {"1"}
        left = [each.id for each in client.history.recent(200, session="large")]
        gone = counts(run)[1]
        assert 0 < gone < len(saved)
        assert sorted(left) == sorted(each.id for each in saved[gone:]), "the oldest went"
        settings(running, '[retention]\nmax_size = "1TB"\n')
        assert counts(client.admin.retention_run()) == [0, 0]


def test_idle_sessions_are_archived_until_something_happens(running: RunningDaemon) -> None:
    statuses = "SELECT session_id || status FROM sessions WHERE session_id LIKE 'idle-%'"
    said: list[tuple[str, SessionStatus, int]]
    said = [("a", "active", 40), ("b", "completed", 40), ("c", "active", 9)]
    sessions = [
        Session(id=uuid7(), key=f"idle-{name}", status=status, last_active_at=ago(days),
                created_at=ago(days))
        for name, status, days in said
    ]  # fmt: skip
    with running.client(spool=False) as client:
        save(client, *sessions)
        settings(running, '[retention]\narchive_idle_after = "never"\n')
        assert client.admin.retention_run().sessions_archived == 0
        settings(running, "")
        trial = client.admin.retention_run(dry_run=True)
        assert client.admin.retention_run() == trial
        assert trial.sessions_archived >= 1
        assert column(client, statuses) == {"idle-aarchived", "idle-bcompleted", "idle-cactive"}
        client.history.save("again", session="idle-a")
        assert "idle-aactive" in column(client, statuses)


def test_the_command_line_tells_and_removes(running: RunningDaemon) -> None:
    settings(running, '[[retention.policy]]\nwhat = "exchanges"\nolder_than = "1y"\n')
    with running.client(spool=False) as client:
        save(client, exchange(random.Random(3), 500))
    trial = running.steno("retention", "--dry-run")
    assert trial.returncode == 0, trial.stderr
    assert "exchanges older than 1y\t1\t" in trial.stdout
    told = json.loads(running.steno("retention", "--json").stdout)
    assert (told["dry_run"], told["policies"][0]["count"]) == (False, 1)
    settings(running, "")
    assert "No policy deletes anything" in running.steno("retention").stdout


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ('[retention]\nmax_size = "5"', "max_size"),
        ('[retention]\narchive_idle_after = "soon"', "archive_idle_after"),
        ('[[retention.policy]]\nwhat = "everything"\nolder_than = "1d"', "what"),
        ('[[retention.policy]]\nwhat = "exchanges"', "older_than"),
        ('[[retention.policy]]\nwhat = "exchanges"\nolder_than = "0d"', "older_than"),
        ('[[retention.policy]]\nwhat = "exchanges"\nolder_than = "1d"\nuser = "x"', "user"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, said: str, named: str) -> None:
    (tmp_path / "config.toml").write_text(said + "\n")
    with pytest.raises(ConfigError, match=named):
        load(resolve({}, home=tmp_path))
