"""A configuration that is partly wrong: each problem has its line, the rest counts."""

from pathlib import Path

import pytest

from steno_schema.config import ConfigError, load, load_usable
from steno_schema.paths import Paths, resolve


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return resolve({}, home=tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("[tracking]\nmin_length = 9\n[defaults\nuser = 'me'\n", 3, "Expected ']'"),
        ("[defaults]\nuser = 'me\n[tracking]\nmin_length = 9\n", 2, 'Expected "\'"'),
        ("[tracking]\nmin_length = 9\n\n[capture]\nignore = [\n'a'\n", 6, "Unclosed array"),
        ("[tracking]\nmin_length = 9\nenabled = 'perhaps'\n", 3, "Expected `bool`"),
        ("[tracking]\nmin_length = 9\nlength = 3\n", 3, "unknown field `length`"),
        ("[tracking]\nmin_length = 9\n[trackng]\nenabled = false\n", 3, "no section 'trackng'"),
        ("tracking.min_length = 9\ncapture = 3\n", 2, "Expected `object`"),
        ("[tracking]\nmin_length = 9\n[prices.'m-1']\ninput = 1\n", 3, "field `output`"),
        ("[tracking]\nmin_length = 9\n[prices]\n'm' = 3\n", 4, "Expected `object`"),
        ("[tracking]\nmin_length = 9\n[[prices]]\n", 3, "Expected `object`"),
        ("[tracking]\nmin_length = 9\n['a\x1b']\n", 3, "invalid character"),
    ],
)
def test_one_wrong_thing_takes_only_itself_away(
    paths: Paths, text: str, line: int, problem: str
) -> None:
    paths.config.write_text(text)
    loaded = load_usable(paths, {})
    (told,) = loaded.problems
    assert problem in told
    assert told.startswith(f"{paths.config}, line {line}: ")
    assert told.isprintable()
    assert loaded.settings.tracking.min_length == 9
    assert loaded.settings.tracking.enabled
    assert loaded.origins["tracking.min_length"] == str(paths.config)
    with pytest.raises(ConfigError) as raised:
        load(paths, {})
    assert str(raised.value) == told


def test_a_wrong_variable_takes_only_itself_away(paths: Paths) -> None:
    paths.config.write_text("[tracking]\ndebug = true\n")
    wrong = {"STENO_DEBUG": "perhaps", "STENO_MIN_LENGTH": "many", "STENO_USER": "ada"}
    loaded = load_usable(paths, wrong)
    assert [problem.split(" ")[0] for problem in loaded.problems] == [
        "STENO_DEBUG",
        "STENO_MIN_LENGTH",
    ]
    assert loaded.settings.tracking.debug
    assert (loaded.settings.tracking.min_length, loaded.settings.defaults.user) == (5, "ada")


@pytest.mark.parametrize("data", [b"[tracking]\n\n\xff = 1\n", b"no equals sign", b"\x00"])
def test_what_is_no_configuration_at_all(paths: Paths, data: bytes) -> None:
    paths.config.write_bytes(data)
    loaded = load_usable(paths, {})
    assert len(loaded.problems) == 1
    assert (
        loaded.settings == load_usable(resolve({}, home=paths.config.parent / "no"), {}).settings
    )
    paths.config.unlink()
    paths.config.mkdir()
    assert "cannot be read" in load_usable(paths, {}).problems[0]
