"""``PromptHistory`` with a real daemon: each verb against what the view ``history`` shows."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from steno import PromptHistory
from support.running import RunningDaemon


def test_every_verb_of_the_face(daemon: RunningDaemon, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    long_ago = now - timedelta(days=400)
    with PromptHistory(db_path=daemon.home) as history, daemon.client() as client:
        ids = [
            history.save("Why is the sky blue?", "Rayleigh.", framework="f1", model="m1", tokens=7,
                         cost=0.5, tags=["sky", "why"], metadata={"k": [1]}, template="t"),
            history.save("Name three birds", "wren", framework="f2", tags=["birds"]),
            history.save("=cmd|' /C calc'!A0", "old sky", timestamp=long_ago, tags=["sky"]),
        ]  # fmt: skip
        columns = ["prompt", "output", "framework_used", "template_used", "model", "tokens",
                   "cost", "tags", "metadata"]  # fmt: skip
        query = f"SELECT {', '.join(columns)} FROM history WHERE uid = ?"
        assert client.sql(query, [ids[0]]).rows == [
            ["Why is the sky blue?", "Rayleigh.", "f1", "t", "m1", 7, 0.5, "sky,why", '{"k":[1]}']
        ]
        assert {each.id for each in history.search("sky")} == {ids[0], ids[2]}
        assert [each.id for each in history.get_by_tag("sky")] == [ids[0], ids[2]]
        assert [each.id for each in history.get_by_framework("f2")] == [ids[1]]
        assert [each.id for each in history.get_recent(2)] == [ids[1], ids[0]]
        between = history.get_by_date_range(long_ago, long_ago + timedelta(days=1))
        assert [each.id for each in between] == [ids[2]]
        today = client.sql("SELECT uid FROM history WHERE date(timestamp) = date('now')").rows
        assert {each.id for each in history.get_today()} == {uid for (uid,) in today}
        assert {each.id for each in history.get_this_week()} >= {uid for (uid,) in today}
        totals = history.stats().totals
        assert (totals["exchanges"], totals["tokens"], totals["cost_usd"]) == (3, 7, 0.5)
        assert history.export_json(tmp_path / "h.json") == 3
        assert history.export_csv(tmp_path / "h.csv", tag="sky") == 2
    exported = json.loads((tmp_path / "h.json").read_text())
    assert {each["id"]: each["prompt"] for each in exported}[ids[0]] == "Why is the sky blue?"
    with (tmp_path / "h.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
