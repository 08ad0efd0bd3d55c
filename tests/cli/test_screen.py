"""What reaches a terminal: nothing raw, nothing too wide, colour only where it is wanted."""

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.support import HOSTILE, only_harmless
from steno.cli.screen import Screen, cell_text, escape, escape_line, relative_time
from steno.cli.tables import aligned, bar, clip, display_width

NOW_S = 1_767_323_045.0


def on_terminal(colour: str = "auto", width: int = 40) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    return Screen(out, colour=colour, terminal=True, width=width), out


@given(st.text())
def test_no_control_character_gets_through(text: str) -> None:
    for char in escape(text):
        assert char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"}
        assert unicodedata.bidirectional(char) not in {
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        }  # fmt: skip
        assert char not in "\u061c\u200e\u200f\ufeff\ue000\ue001"


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert escape(text) == text


def test_escapes_are_visible() -> None:
    assert escape("\x1b[0m\u202e\x9b") == "\\x1b[0m\\u202e\\x9b"
    assert escape("a\n\tb") == "a\n\tb"
    assert escape_line("a\n\tb ") == "a b"


@pytest.mark.parametrize(
    ("age_s", "words"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1m ago"),
        (3 * 3600 + 5, "3h ago"),
        (86_400 * 3, "3d ago"),
        (86_400 * 15, "2w ago"),
        (86_400 * 70, "2mo ago"),
        (86_400 * 800, "2y ago"),
        (-3600, "in the future"),
    ],
)
def test_relative_time(age_s: float, words: str) -> None:
    assert relative_time(NOW_S - age_s, NOW_S) == words


def test_time_is_iso_in_a_pipe() -> None:
    screen = Screen(io.StringIO(), terminal=False)
    assert screen.time("2026-01-02T03:04:05Z") == "2026-01-02T03:04:05Z"
    assert on_terminal()[0].time("no time\x1b") == "no time\\x1b"


@pytest.mark.parametrize(
    ("colour", "terminal", "no_color", "term", "expected"),
    [
        ("auto", True, "", "xterm", True),
        ("auto", True, "1", "xterm", False),
        ("auto", True, "", "dumb", False),
        ("auto", False, "", "xterm", False),
        ("always", False, "1", "dumb", True),
        ("never", True, "", "xterm", False),
    ],
)
def test_when_there_is_colour(
    monkeypatch: pytest.MonkeyPatch,
    colour: str,
    terminal: bool,
    no_color: str,
    term: str,
    expected: bool,
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", term)
    screen = Screen(io.StringIO(), colour=colour, terminal=terminal, width=80)
    assert screen.colour is expected
    assert ("\x1b[" in screen.style("x", "red")) is expected


def test_highlight_marks_become_colour_or_nothing() -> None:
    snippet = "the \ue000token\ue001 is\nnew\x1b[2J"
    assert Screen(None, terminal=False).highlight(snippet) == "the token is new\\x1b[2J"
    screen, _ = on_terminal("always")
    assert screen.highlight(snippet) == "the \x1b[1;31mtoken\x1b[0m is new\\x1b[2J"
    assert screen.highlight("open \ue000end").endswith("end\x1b[0m")


@given(
    st.lists(st.lists(st.text(max_size=60), min_size=3, max_size=3), max_size=6),
    st.integers(30, 120),
)
def test_tables_fit_the_terminal(rows: list[list[str]], width: int) -> None:
    cells = [[cell_text(cell) for cell in row] for row in rows]
    for line in aligned(["one", "two", "three"], cells, width):
        assert display_width(line) <= width


def test_a_table_in_a_pipe_is_fields_between_tabs() -> None:
    out = io.StringIO()
    screen = Screen(out, terminal=False)
    screen.table(["a", "b"], [["x\ty", None], [HOSTILE, 0.1 + 0.2]])
    lines = out.getvalue().splitlines()
    assert lines[0] == "a\tb"
    assert lines[1] == "x y\t"
    assert lines[2].endswith("\t0.3")
    assert only_harmless(out.getvalue())


def test_a_table_on_a_terminal_is_aligned() -> None:
    screen, out = on_terminal("never", 20)
    screen.table(["name", "n"], [["long " * 10, 5], ["日本", 12]])
    assert out.getvalue().splitlines() == [
        "name               n",
        "long long long…    5",
        "日本              12",
    ]


@given(st.text(), st.integers(1, 50))
def test_clip_never_exceeds(text: str, width: int) -> None:
    line = escape_line(text)
    assert display_width(clip(line, width)) <= width


def test_bars_grow_with_their_value() -> None:
    lengths = [len(bar(value, 100, 20)) for value in range(101)]
    assert lengths == sorted(lengths)
    assert lengths[0] == 0
    assert lengths[1] == 1
    assert lengths[100] == 20


def test_json_is_ascii_where_the_output_is() -> None:
    raw = io.BytesIO()
    screen = Screen(io.TextIOWrapper(raw, encoding="ascii"), terminal=False)
    screen.json({"text": "é😀\x9b"})
    screen.finish()
    assert raw.getvalue() == b'{"text":"\\u00e9\\ud83d\\ude00\\u009b"}\n'
