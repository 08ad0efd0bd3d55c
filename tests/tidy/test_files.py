"""What no file of the repository may hold."""

import re
from pathlib import Path

import pytest

from tidy.tree import ROOT, files, name, python_files, text

LINES_MAX = 400
LOCKS = {"requirements.lock", "requirements-dev.lock"}

# Written in halves, so that this file does not hold what it forbids.
LEFTOVERS = re.compile(r"\b(TO{}|FIX{})\b".format("DO", "ME"))
INDEX_HOSTS = re.compile(r"(py{}|python{})\.org|npm{}\.(org|com)".format("pi", "hosted", "js"))
INDEX_OPTIONS = re.compile(
    r"^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b", re.MULTILINE
)


def found_in(pattern: re.Pattern[str], paths: tuple[Path, ...]) -> list[str]:
    """Return ``file:line: match`` for every place in ``paths``."""
    return [
        f"{name(path)}:{number}: {match[0]}"
        for path in paths
        for number, line in enumerate(text(path).splitlines(), 1)
        if (match := pattern.search(line))
    ]


def machine_path(folder: Path) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.~-]){re.escape(str(folder))}(?![\w.-])")


def outside_of_tests() -> tuple[Path, ...]:
    return tuple(path for path in files() if not path.is_relative_to(ROOT / "tests"))


def test_no_python_file_is_longer_than_400_lines() -> None:
    lengths = {name(path): len(text(path).splitlines()) for path in python_files()}
    assert {path: lines for path, lines in lengths.items() if lines > LINES_MAX} == {}


def test_nothing_is_left_over() -> None:
    own = tuple(path for path in files() if "fixtures" not in path.parts)
    assert found_in(LEFTOVERS, own) == []


def test_no_file_names_a_package_index() -> None:
    assert found_in(INDEX_HOSTS, files()) == []


@pytest.mark.parametrize("lock", sorted(LOCKS))
def test_every_pin_has_hashes_and_no_option_chooses_an_index(lock: str) -> None:
    content = (ROOT / lock).read_text(encoding="utf-8")
    assert INDEX_OPTIONS.search(content) is None
    pins = re.split(r"^(?=[a-z0-9])", content, flags=re.MULTILINE)[1:]
    assert pins
    assert [pin for pin in pins if not re.match(r"[a-z0-9-]+(\[\w+\])?==[^ ]+ ", pin)] == []
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []


def test_both_locks_pin_the_same_versions() -> None:
    runtime, everything = (
        set(
            re.findall(
                r"^[a-z0-9-]+==[^ ]+", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE
            )
        )
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime <= everything


def test_no_file_names_this_checkout() -> None:
    """A path as short as ``/app`` says nothing about a machine and may stand in a fixture."""
    if len(ROOT.parts) > 2:
        assert found_in(machine_path(ROOT), files()) == []


def test_no_file_of_the_product_names_this_users_home() -> None:
    """Made-up homes are part of tests; a real one would be a trace of who wrote them."""
    assert found_in(machine_path(Path.home()), outside_of_tests()) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (LEFTOVERS, "# TO" + "DO: later"),
        (INDEX_HOSTS, "https://py" + "pi.org/simple"),
        (machine_path(Path("/srv/box")), 'open("/srv/box/notes")'),
    ],
)
def test_the_patterns_match_what_they_are_for(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


def test_a_machine_path_is_matched_whole() -> None:
    pattern = machine_path(Path("/srv/box"))
    assert pattern.search("/var/srv/box") is None
    assert pattern.search("/srv/boxes") is None
