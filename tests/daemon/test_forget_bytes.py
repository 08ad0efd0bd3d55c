"""What was forgotten is in no file of the database when the answer comes."""

import pytest

from support.running import RunningDaemon

WORD = "quetzalcoatlus"


def _found(daemon: RunningDaemon) -> list[str]:
    return [
        file.name
        for file in daemon.home.iterdir()
        if file.is_file() and WORD.encode() in file.read_bytes()
    ]


@pytest.mark.parametrize("restarted", [False, True], ids=["in the log", "in the tables"])
def test_a_forgotten_text_is_gone_from_the_files(daemon: RunningDaemon, restarted: bool) -> None:
    with daemon.client() as client:
        saved = client.history.save(f"the {WORD} flies", f"so it does, {WORD}", tags=["old"])
    if restarted:
        daemon.stop()
        daemon.start("--no-capture")
    assert _found(daemon), "the text was never there: this could not fail"
    with daemon.client() as client:
        client.history.delete(saved.id)
        assert not client.history.search(WORD)
    assert _found(daemon) == []
