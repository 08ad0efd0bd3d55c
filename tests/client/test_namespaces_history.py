"""Exchanges through a real daemon: what ``history`` stores the views show, and the other way."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from steno.errors import Refused
from steno_schema.errors import ErrorCode
from steno_schema.ids import is_id
from support.live import Live

TODAY = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
WHOLE: dict[str, Any] = {
    "model": "m-1", "framework": "flask", "template": "t", "cost_usd": 0.5, "rating": 7,
    "tokens": {"input": 3, "output": 4, "cache_read": 5, "cache_write": 6, "reasoning": 2},
    "tags": ["b", "a"], "metadata": {"k": [1]}, "category": "api", "complexity": "simple",
    "technique": "few_shot", "stage": "testing", "phase": "p", "current_file": "a.py",
    "keywords": ["w"], "response_summary": "s", "follow_up": True, "notes": "n",
    "files_created": ["x"], "files_modified": ["y"], "commands_executed": ["ls"],
    "response_time_ms": 12.5, "created_at": "2026-01-02T03:04:05Z",
}  # fmt: skip


def saved(live: Live, prompt: str, output: str = "", **words: Any) -> str:
    return str(live.call(live.client.history.save(prompt, output, **words)).id)


def ids(page: Any) -> list[str]:
    return [each.id for each in page]


def test_what_is_saved_stands_in_history_and_prompts(live: Live) -> None:
    key = live.key("session")
    uid = live.call(live.client.history.save("why?", "so.", session=key, **WHOLE)).id
    assert is_id(uid)
    history = (
        "SELECT prompt, output, timestamp, framework_used, template_used, model, tokens, cost,"
        " tags, metadata, notes FROM history WHERE uid = ?"
    )
    when = "2026-01-02T03:04:05.000Z"
    assert live.row(history, uid) == (
        "why?", "so.", when, "flask", "t", "m-1", 18, 0.5, "a,b", '{"k":[1]}', "n"
    )  # fmt: skip
    prompts = (
        "SELECT prompt_text, session_id, prompt_date, prompt_category, current_file,"
        " project_phase, response_summary, prompt_complexity, success_rating, follow_up_needed,"
        " prompt_technique, development_stage, response_time_estimate, tokens_used_estimate,"
        " keywords, tags, files_created, files_modified, commands_executed, created_at,"
        " updated_at >= created_at FROM prompts WHERE uid = ?"
    )
    assert live.row(prompts, uid) == (
        "why?", key, when, "api", "a.py", "p", "s", "simple", 7.0, 1, "few_shot", "testing", 12.5, 18,
        '["w"]', "a,b", '["x"]', '["y"]', '["ls"]', when, 1,
    )  # fmt: skip


def test_one_exchange_is_got_by_id_prefix_and_number(live: Live) -> None:
    uid = saved(live, "why?", "so.", **WHOLE)
    (number,) = live.row("SELECT id FROM history WHERE uid = ?", uid)
    for target in (uid, uid[:-4], number):
        view = live.call(live.client.history.get(target))
        assert (view.id, view.number, view.prompt, view.output) == (uid, number, "why?", "so.")
    assert (view.cost_usd, view.tags, view.metadata) == (0.5, ["a", "b"], {"k": [1]})
    with pytest.raises(Refused) as refusal:
        live.call(live.client.history.get("01890000-0000-7000-8000-00000000000f"))
    assert refusal.value.code == ErrorCode.NOT_FOUND


def test_annotations_are_changed_and_emptied(live: Live) -> None:
    uid = saved(live, "why?", tags=["old", "both"])
    update = live.client.history.update
    assert live.call(update(uid, rating=9.5, follow_up=True, notes="look", category="api")) == 1
    live.call(update(uid, add_tags=["new"], remove_tags=["old"], metadata={"a": None}))
    prompts = (
        "SELECT success_rating, follow_up_needed, prompt_category, tags FROM prompts WHERE uid = ?"
    )
    assert live.row(prompts, uid) == (9.5, 1, "api", "both,new")
    notes = "SELECT notes, metadata FROM history WHERE uid = ?"
    assert live.row(notes, uid) == ("look", '{"a":null}')
    live.call(update(uid, tags=["only"], rating=None, follow_up=False, notes=None, metadata=None))
    assert live.row(prompts, uid) == (None, 0, "api", "only")
    assert live.row(notes, uid) == (None, None)
    with pytest.raises(Refused, match="does not fit"):
        live.call(update(uid, rating=11))


def test_what_is_deleted_is_gone(live: Live) -> None:
    key, tag = live.key("session"), live.key("tag")
    one, *others = [saved(live, f"p {n}", "o", session=key, tags=[tag]) for n in range(4)]
    delete = live.client.history.delete
    count = "SELECT count(*) FROM history WHERE ',' || tags || ',' LIKE ?"
    assert live.call(delete(tag=tag, dry_run=True)) == 4
    assert live.row(count, f"%,{tag},%") == (4,)
    assert live.call(delete(one)) == 1
    assert live.row(count, f"%,{tag},%") == (3,)
    assert live.call(delete(tag=tag)) == 3
    assert live.row(count, f"%,{tag},%") == (0,)
    query = "SELECT count(*) FROM messages WHERE conversation_id = ?"
    assert live.row(query, key) == (0,)
    again = live.call(live.client.history.save("p 1", "o", id=others[0]))
    assert again.outcome == "gone"


def test_search_finds_prompt_output_tags_and_notes(live: Live) -> None:
    history, key = live.client.history, live.key("session")
    word = live.key("quark").replace("-", "")
    asked = saved(live, f"what is a {word}?", "small", session=key)
    answered = saved(live, "and then?", f"the {word} again", session=key)
    tagged = saved(live, "tagged", session=key, tags=[word])
    noted = saved(live, "noted", session=key, notes=f"see the {word} paper")
    later = saved(live, "noted later", session=key)
    live.call(history.update(later, notes=f"Überraschung: {word}"))
    assert set(ids(live.call(history.search(word)))) == {asked, answered, tagged, noted, later}
    (by_note,) = live.call(history.search(f"{word} paper"))
    assert by_note.snippet == f"see the \ue000{word}\ue001 \ue000paper\ue001"
    assert by_note.prompt == "noted"
    (with_accent,) = live.call(history.search("uberraschung", session=key))
    assert with_accent.id == later
    live.call(history.update(later, notes=None))
    assert live.call(history.search("uberraschung", session=key)) == []
    text = "prompt || output || coalesce(tags, '') || coalesce(notes, '')"
    query = f"SELECT uid FROM history WHERE {text} LIKE ?"
    assert {uid for (uid,) in live.rows(query, f"%{word}%")} == {asked, answered, tagged, noted}
    first = live.call(history.search(word, limit=3))
    rest = live.call(history.search(word, limit=3, cursor=first.next_cursor))
    assert len({*ids(first), *ids(rest)}) == 4


def at(live: Live, key: str, *moments: datetime) -> list[str]:
    """Save an exchange at each of these times; return their ids, the newest first."""
    made = [
        saved(live, f"at {moment}", session=key, created_at=moment)
        for moment in sorted(moments, reverse=True)
    ]
    query = "SELECT uid FROM prompts WHERE session_id = ? ORDER BY created_at DESC"
    assert [uid for (uid,) in live.rows(query, key)] == made
    return made


def test_the_newest_come_first_in_pages(live: Live) -> None:
    key = live.key("session")
    made = at(live, key, *(TODAY - timedelta(hours=n) for n in range(5)))
    page = live.call(live.client.history.recent(3, session=key))
    assert ids(page) == made[:3]
    rest = live.call(live.client.history.recent(3, session=key, cursor=page.next_cursor))
    assert (ids(rest), rest.next_cursor) == (made[3:], None)
    query = "SELECT uid FROM prompts WHERE session_id = ? ORDER BY created_at DESC LIMIT 3"
    assert [uid for (uid,) in live.rows(query, key)] == ids(page)


def test_today_and_this_week_are_local_days(live: Live) -> None:
    key = live.key("session")
    monday = TODAY - timedelta(days=TODAY.weekday())
    soon, early = timedelta(seconds=1), timedelta(milliseconds=1)
    made = at(live, key, TODAY, TODAY + soon, TODAY - early - soon, monday + soon, monday - early)
    of_today = ids(live.call(live.client.history.today(session=key)))
    of_week = ids(live.call(live.client.history.this_week(session=key)))
    times = dict(live.rows("SELECT uid, created_at FROM prompts WHERE session_id = ?", key))
    moments = {uid: datetime.fromisoformat(text) for uid, text in times.items()}
    assert of_today == [uid for uid in made if moments[uid] >= TODAY]
    assert of_week == [uid for uid in made if moments[uid] >= monday]
    assert 2 <= len(of_today) <= len(of_week) < 5


def test_by_tag_framework_and_model(live: Live) -> None:
    history = live.client.history
    tags = [live.key("tag"), live.key("tag")]
    framework, model = live.key("framework"), live.key("model")
    both = saved(live, "p", tags=tags, framework=framework, model=model)
    one = saved(live, "p", tags=tags[:1], model=model)
    other = saved(live, "p", tags=tags[1:], framework=framework)
    assert ids(live.call(history.by_tag(tags[0]))) == [one, both]
    assert ids(live.call(history.by_tag(tags))) == [both]
    assert ids(live.call(history.by_framework(framework))) == [other, both]
    assert ids(live.call(history.by_model([model, "none"]))) == [one, both]
    query = "SELECT uid FROM history WHERE {} ORDER BY id DESC"
    assert live.rows(query.format("framework_used = ?"), framework) == [(other,), (both,)]
    assert live.rows(query.format("model = ?"), model) == [(one,), (both,)]
    assert live.rows(query.format("tags = ?"), ",".join(sorted(tags))) == [(both,)]


def test_a_stretch_of_time_includes_its_last_day(live: Live) -> None:
    model = live.key("model")
    days = ["2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z", "2026-01-03T23:59:59.999Z"]
    made = [saved(live, day, model=model, created_at=day) for day in days]
    found = live.call(live.client.history.between("2026-01-02", "2026-01-03", limit=1000))
    assert [uid for uid in ids(found) if uid in made] == [made[2], made[1]]
    query = "SELECT uid FROM history WHERE model = ? AND date(timestamp) >= '2026-01-02'"
    assert {uid for (uid,) in live.rows(query, model)} == set(made[1:])
    exact = live.call(live.client.history.between(days[0], days[1], limit=1000))
    assert {uid for uid in ids(exact) if uid in made} == set(made[:2])


def test_totals_are_those_of_the_view(live: Live) -> None:
    key = live.key("session")
    for number in range(4):
        saved(live, "p", "o", session=key, model=f"m{number % 2}", cost_usd=0.25,
              tokens={"input": 1, "output": number})  # fmt: skip
    told = live.call(live.client.history.stats(by="model", session=key))
    query = "SELECT count(*), sum(tokens), sum(cost) FROM history WHERE uid IN"
    chosen = f"{query} (SELECT uid FROM prompts WHERE session_id = ?)"
    totals = told.totals
    assert live.row(chosen, key) == (totals["exchanges"], totals["tokens"], totals["cost_usd"])
    assert {group["name"]: group["exchanges"] for group in told.groups} == {"m0": 2, "m1": 2}


def test_what_is_saved_in_a_batch_lands_together(live: Live) -> None:
    key = live.key("session")
    batch = live.client.batch()
    for number in range(3):
        batch.history.save(f"p {number}", session=key)
    query = "SELECT prompt_text FROM prompts WHERE session_id = ? ORDER BY id"
    assert live.rows(query, key) == []
    live.call(live.ended(batch))
    assert live.rows(query, key) == [("p 0",), ("p 1",), ("p 2",)]
    assert [each.outcome for each in batch.saved] == ["created"] * 3
