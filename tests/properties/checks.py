"""What the client answers, and what the views show, against the model."""

from collections import Counter
from typing import Any

from properties.model import Model
from support.live import Live


def check_answers(live: Live, model: Model) -> None:
    """Ask the client everything the model knows."""
    _check_history(live, model)
    _check_talk(live, model)
    _check_memory(live, model)


def _check_history(live: Live, model: Model) -> None:
    history, costs = live.client.history, live.client.costs
    for session in model.sessions:
        kept = [each for each in model.exchanges if each.session == session]
        listed = live.call(history.recent(1000, session=session))
        told = {
            each.id: (each.prompt, each.output, each.model, each.cost_usd, each.rating,
                      each.notes, each.tags)
            for each in listed
        }  # fmt: skip
        assert told == {
            each.id: (each.prompt, each.output, each.model, each.cost_usd, each.rating,
                      each.notes, sorted(each.tags))
            for each in kept
        }  # fmt: skip
        assert [each.created_at for each in listed] == sorted(
            (each.created_at for each in listed), reverse=True
        )
        for tag in ("red", "blue"):
            chosen = live.call(history.recent(1000, session=session, tag=tag))
            assert {each.id for each in chosen} == {each.id for each in kept if tag in each.tags}
        told_stats = live.call(history.stats(by="tag", session=session))
        assert told_stats.totals["exchanges"] == len(kept)
        assert told_stats.totals["tokens"] == sum(each.tokens for each in kept)
        counted = Counter(tag for each in kept for tag in each.tags)
        assert {each["name"]: each["exchanges"] for each in told_stats.groups} == counted
        assert (live.call(costs.total(session=session)).cost_usd or 0) == model.cost_of(session)


def _check_talk(live: Live, model: Model) -> None:
    sessions, conversations = live.client.sessions, live.client.conversations
    for key, session in model.sessions.items():
        row = live.call(sessions.get(key))
        assert (row["status"], row["ended_at"] is not None) == (
            session["status"],
            session["ended"],
        )
    for key, conversation in model.conversations.items():
        row = live.call(conversations.get(key))
        assert (row["session_id"], row["title"], row["summary"]) == (
            conversation["session"], conversation["title"], conversation["summary"]
        )  # fmt: skip
        said = [each for each in model.messages if each.conversation == key]
        if said:
            listed = live.call(conversations.messages(key, 1000))
            told = [(each.id, each.role, each.content, each.importance) for each in listed]
            expected = [(each.id, each.role, each.content, each.importance) for each in said]
            assert [each for each in told if each[0] in {one.id for one in said}] == expected


def _check_memory(live: Live, model: Model) -> None:
    client = live.client
    for user in {user for user, _ in model.preferences} | {model.name("a")}:
        told = live.call(client.preferences.all(user=user))
        assert told == {
            key: value for (owner, key), value in model.preferences.items() if owner == user
        }
    patterns = live.call(client.patterns.list(pattern_type=model.prefix, limit=1000))
    assert {
        each.pattern_key: (each.occurrence_count, each.pattern_value, each.confidence_score)
        for each in patterns
    } == {key: (each.count, each.value, each.confidence) for key, each in model.patterns.items()}
    newest = {task.key: task for task in model.tasks}
    for key, task in newest.items():
        told_task = live.call(client.tasks.get(key))
        assert (told_task.id, told_task.specialist) == (task.id, task.specialist)
        assert (told_task.estimation_hours, told_task.duration_hours) == (
            task.estimate,
            task.hours,
        )
    for key in ("a", "b", "c"):
        name = model.name(key)
        assert live.call(client.metadata.get(name)) == model.facts.get(name)


def check_views(live: Live, model: Model) -> None:
    """Read every view that has something of the run, as any program would."""

    def shown(query: str) -> Counter[tuple[Any, ...]]:
        return Counter(live.rows(query, f"{model.prefix}%"))

    assert shown(
        "SELECT uid, prompt_text, session_id, success_rating, coalesce(tags, '') FROM prompts"
        " WHERE session_id LIKE ?"
    ) == Counter(
        (each.id, each.prompt, each.session, each.rating, ",".join(sorted(each.tags)))
        for each in model.exchanges
    )
    assert shown(
        "SELECT h.uid, h.output, h.cost, h.notes FROM history AS h JOIN prompts AS p"
        " ON p.id = h.id WHERE p.session_id LIKE ?"
    ) == Counter((each.id, each.output, each.cost_usd, each.notes) for each in model.exchanges)
    assert shown(
        "SELECT session_id, status, ended_at IS NOT NULL FROM sessions WHERE session_id LIKE ?"
    ) == Counter((key, each["status"], each["ended"]) for key, each in model.sessions.items())
    asked = Counter(each.session for each in model.exchanges)
    answered = Counter(each.session for each in model.exchanges if each.output)
    spoken = Counter(each.conversation for each in model.messages) + asked + answered
    for view, columns in (
        ("conversations", "conversation_id, title, message_count"),
        ("conversation_threads", "thread_id, title, message_count"),
    ):
        key = columns.partition(",")[0]
        assert shown(f"SELECT {columns} FROM {view} WHERE {key} LIKE ?") == Counter(
            (name, each["title"], spoken[name]) for name, each in model.conversations.items()
        )
    assert shown(
        "SELECT uid, content, importance_score, is_summarized, original_content FROM messages"
        " WHERE conversation_id LIKE ? AND uid NOT IN (SELECT uid FROM history)"
        " AND conversation_id LIKE '%-talk-%'"
    ) == Counter(
        (each.id, each.content, each.importance, each.is_summarized, each.original)
        for each in model.messages
    )
    assert shown(
        "SELECT session_id, model, cost_usd FROM cost_tracking WHERE session_id LIKE ?"
    ) == Counter((each.session, each.model, each.cost_usd) for each in model.calls) + Counter(
        (each.session, each.model, each.cost_usd) for each in model.exchanges
    )
    assert shown(
        "SELECT user_id, preference_key, preference_value FROM user_preferences"
        " WHERE user_id LIKE ?"
    ) == Counter((*keys, value) for keys, value in model.preferences.items())
    assert shown(
        "SELECT uid, task_id, estimation_hours, duration_hours FROM tasks WHERE task_id LIKE ?"
    ) == Counter((each.id, each.key, each.estimate, each.hours) for each in model.tasks)
