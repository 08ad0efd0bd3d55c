"""A broken configuration never costs a save: it is said, and everything else goes on."""

import json

import pytest

from support.running import RunningDaemon

BROKEN = "[defaults]\nuser = 'ada'\n\n[tracking]\nmin_length = many\n"
PLACE = "config.toml, line 5: Invalid value"


@pytest.fixture
def broken(daemon: RunningDaemon) -> RunningDaemon:
    (daemon.home / "config.toml").write_text(BROKEN)
    return daemon


@pytest.mark.parametrize("runs", [True, False])
def test_a_save_goes_through_with_or_without_a_daemon(broken: RunningDaemon, runs: bool) -> None:
    if not runs:
        broken.stop()
    saved = broken.steno("save", "saved all the same", "--json")
    assert saved.returncode == 0
    assert json.loads(saved.stdout)["stored"] == ("daemon" if runs else "spool")
    assert saved.stderr.count(PLACE) == 1
    assert "steno config show" in saved.stderr


def test_the_part_that_can_be_read_counts(broken: RunningDaemon) -> None:
    with broken.client() as client:
        saved = client.history.save("whose is it?")
        assert client.history.get(saved.id).user == "ada"


def test_a_script_saves_and_is_warned_once(broken: RunningDaemon, tmp_path: object) -> None:
    program = broken.home / "script.py"
    program.write_text(
        "from steno import Client, track_prompt\n"
        "with Client() as client:\n"
        "    client.history.save('one'); client.history.save('two')\n"
        "    @track_prompt\n"
        "    def ask(prompt): return 'an answer'\n"
        "    ask('a third, tracked')\n"
    )
    done = broken.python(str(program))
    assert (done.returncode, done.stderr.count(PLACE)) == (0, 1)
    with broken.client() as client:
        assert len(client.history.recent()) == 3


def test_config_show_and_doctor_name_the_line(broken: RunningDaemon) -> None:
    shown = broken.steno("config", "show", "--origin")
    assert shown.returncode == 1
    assert PLACE in shown.stderr
    assert '"ada"' in shown.stdout
    as_json = broken.steno("config", "show", "--json")
    assert PLACE in json.loads(as_json.stdout)["problems"][0]
    doctor = broken.steno("doctor")
    assert doctor.returncode == 1
    assert PLACE in doctor.stdout


def test_a_running_daemon_is_not_restarted_into_refusing(broken: RunningDaemon) -> None:
    refused = broken.steno("restart")
    assert refused.returncode == 4
    assert PLACE in refused.stderr
    assert broken.steno("list").returncode == 1
