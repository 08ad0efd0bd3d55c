"""Category tags follow the analysis, also when all of history is analysed anew."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from steno import track_prompt
from steno_schema.config import Settings, Tracking
from steno_schema.ids import uuid7
from steno_schema.records import Exchange
from steno_schema.requests import Admin, Append, Stats
from stenod.followers.rollup import next_unclean_day, roll_up
from stenod.query.stats import statistics
from stenod.store.connection import open_writer
from support.running import RunningDaemon
from support.store import NOW, Store
from support.tracked import Tracked

PROMPT = "Create a database table for the orders"


def tags(tracked: Tracked) -> str:
    return str(tracked.sql("SELECT tags FROM history")[0][0])


def test_analysing_anew_leaves_one_tag(tracked: Tracked) -> None:
    track_prompt(PROMPT, tags=["mine"])
    assert tags(tracked) == "auto,database,mine"
    with tracked.daemon.client() as client:
        client.request(Admin(action="rederive", arguments={"follower": "analysis"}))
    assert tags(tracked) == "auto,database,mine"


def test_other_categories_mean_other_tags(
    daemon_at_rest: RunningDaemon, work: Path, tmp_path: Path
) -> None:
    home = daemon_at_rest.home
    daemon_at_rest.start("--no-capture")
    with daemon_at_rest.client() as client:
        client.history.save(PROMPT, tags=["auto"])
        client.history.save(PROMPT, tags=["auto", "database"], category="database")
        client.request(Admin(action="flush"))
        assert [row[0] for row in client.sql("SELECT tags FROM history").rows] == [
            "auto,database",
            "auto,database",
        ]
    daemon_at_rest.stop()
    (home / "config.toml").write_text('[tracking]\ncategories = ["general"]\n')
    daemon_at_rest.start("--no-capture")
    with daemon_at_rest.client() as client:
        client.request(Admin(action="flush"))
        found = client.sql("SELECT tags FROM history ORDER BY id").rows
        assert [row[0] for row in found] == ["auto,general", "auto,database"]
        assert len(client.history.search("general")) == 1, "found as a word, too"
        assert len(client.history.search("tag:general")) == 1


def test_days_that_were_summed_up_follow(tmp_path: Path) -> None:
    store = Store(tmp_path)
    moment = (NOW - timedelta(days=3)).isoformat()
    exchange = Exchange(id=uuid7(), prompt=PROMPT, tags=["auto"], created_at=moment)
    store.ask(Append(records=[exchange]))
    store.settled()
    store.close()
    connection = open_writer(tmp_path / "steno.db")
    while (day := next_unclean_day(connection)) is not None:
        roll_up(connection, day)
    assert connection.execute("SELECT count(*) FROM rollup_day WHERE clean = 1").get == 1
    connection.close()
    store = Store(tmp_path, Settings(tracking=Tracking(categories=("general",))))
    store.settled()
    try:
        assert groups(store, "tag") == {"auto": 1, "general": 1}
        assert groups(store, "category") == {"general": 1}
    finally:
        store.close()


def groups(store: Store, by: Literal["tag", "category"]) -> dict[str, int]:
    with store.reader:
        found = statistics(store.reader, Stats(by=by)).groups
    return {group["name"]: group["exchanges"] for group in found}
