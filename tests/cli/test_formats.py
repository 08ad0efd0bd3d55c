"""JSON, CSV and Markdown: exact for programs, harmless for terminals and spreadsheets."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cli.support import HOSTILE, exchange, only_harmless
from steno.cli.csvtext import csv_cell, csv_line
from steno.cli.jsontext import plain, to_json
from steno.transfer import csvcells
from steno.transfer.markdown import markdown_of
from steno_schema.records import Tokens

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "＝1"]
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(texts, texts | st.integers(-(2**53), 2**53) | st.none() | st.booleans()))
def test_json_reads_back_the_same(value: dict[str, Any]) -> None:
    for ascii_only in (False, True):
        text = to_json(value, ascii_only=ascii_only)
        assert json.loads(text) == value
        assert only_harmless(text)
        assert text.isascii() or not ascii_only


def test_json_holds_every_field() -> None:
    told = plain([exchange(tokens=Tokens())])[0]
    assert told["tokens"] == {
        "input": 0,
        "output": 0,
        "cache_read": 0,
        "cache_write": 0,
        "cache_write_5m": 0,
        "cache_write_1h": 0,
        "reasoning": 0,
        "total": None,
        "complete": True,
    }
    assert told["technique"] is None
    assert json.loads(to_json(plain(exchange(tokens=None))))["tokens"] is None


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    cell = csv_cell(text)
    assert cell.startswith("'")
    assert only_harmless(cell)


def test_numbers_are_no_formulas() -> None:
    assert csv_line([-1, 0.5, None, True, b"\x01", "a,b", 'say "x"']) == (
        '-1,0.5,,true,01,"a,b","say ""x"""\n'
    )


@given(texts)
def test_a_csv_line_stays_one_record(text: str) -> None:
    rows = list(csv.reader(io.StringIO(csv_line([text, "end"]), newline="")))
    assert len(rows) == 1
    assert rows[0][1] == "end"
    assert not rows[0][0].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_csv_cells_are_in_the_order_of_their_names() -> None:
    cells = csvcells.cells_of(exchange(tags=["=cmd", "x"], metadata={"k": "v"}))
    told = dict(zip(csvcells.HEADER, cells, strict=True))
    assert told["tags"] == "'=cmd,x"
    assert told["metadata"] == '{"k":"v"}'
    assert told["prompt"] == "prompt 1"
    assert cells[len(csvcells.FIELDS) :] == (3, 4, 0, 0, 0, 0, 0, None, "true")
    none = csvcells.cells_of(exchange(tokens=None))
    assert none[len(csvcells.FIELDS) :] == (None,) * len(csvcells.TOKENS)


@given(texts)
@example("'=1")
@example("''=1")
@example('"quoted"')
@example('\'"x\\r"')
@example('"=1\r\n"')
def test_a_cell_reads_back_whatever_the_text(text: str) -> None:
    cell = csvcells.written(text)
    assert csvcells.read(cell) == text
    assert only_harmless(cell)
    assert not csvcells.is_formula(cell)
    rows = list(csv.reader(io.StringIO(csvcells.line_of([cell, "end"]), newline="")))
    assert rows == [[cell, "end"]]


@given(st.lists(texts.filter(str.strip)))
def test_several_texts_in_a_cell_stay_apart(several: list[str]) -> None:
    cell = csvcells.cells_of(exchange(tags=several))[csvcells.FIELDS.index("tags")]
    assert csvcells.split(csvcells.read(str(cell))) == several


def test_markdown_keeps_text_in_its_fence() -> None:
    evil = "```\n<script>x</script>\n````\n# heading " + HOSTILE
    text = markdown_of(exchange(prompt=evil, model="`<b>`", tags=["``"], notes="note"))
    assert only_harmless(text)
    fence = "`" * 5
    inside = text.split(f"{fence}text\n")[1].split(f"\n{fence}\n")[0]
    assert "<script>" in inside
    assert text.count("<script>") == 1
    assert "- model: `` `<b>` ``" in text
    assert "- tags: ``` `` ```" in text


def test_markdown_of_an_unfinished_count() -> None:
    tokens = Tokens(input=1200, reasoning=3, complete=False)
    text = markdown_of(exchange(tokens=tokens, cost_usd=None, output=""))
    assert "- tokens: `1,200 in, 3 of it reasoning (not final)`" in text
    assert "cost" not in text
    assert "### Output" not in text
