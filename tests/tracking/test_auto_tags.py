"""Category tags follow the analysis, also when all of history is analysed anew."""

from pathlib import Path

from steno import track_prompt
from steno_schema.requests import Admin
from support.running import RunningDaemon
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
    (home / "config.toml").write_text('[tracking]\ncategories = ["orders", "other"]\n')
    daemon_at_rest.start("--no-capture")
    with daemon_at_rest.client() as client:
        client.request(Admin(action="flush"))
        found = client.sql("SELECT tags FROM history ORDER BY id").rows
        assert [row[0] for row in found] == ["auto,orders", "auto,database"]
        assert len(client.history.search("tag:orders")) == 1
        groups = client.history.stats("tag").groups
    assert {group["name"]: group["exchanges"] for group in groups} == {
        "auto": 2,
        "orders": 1,
        "database": 1,
    }
