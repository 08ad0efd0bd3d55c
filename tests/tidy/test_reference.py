"""The API reference is complete and up to date, and says of each function what it promises."""

import re

import pytest

import steno
from support.reference import reference_maker
from support.running import ROOT

MAKER = reference_maker()
FUNCTIONS = {
    f"{part.title}: {each.call}": each for part in MAKER.PARTS for each in MAKER.described(part)
}


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert page == MAKER.page(), "run: make reference (or python tools/make_reference.py)"


def test_every_public_name_is_on_the_page() -> None:
    page = MAKER.page()
    for name in {*steno.__all__} - {"__version__"}:
        assert re.search(rf"^#+ `?(steno\.tracking\.)?{name}`?$", page, re.MULTILINE), name
    for title in re.findall(r"^- \[.*\]\(#(.*)\)$", page, re.MULTILINE):
        headings = [MAKER._anchor(each) for each in re.findall(r"^## (.*)$", page, re.MULTILINE)]
        assert title in headings


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_its_errors_and_has_an_example(name: str) -> None:
    function = FUNCTIONS[name]
    assert MAKER.example(function.doc), f"{function.place} has no Example::"
    assert re.search(r"[Rr]aise", function.doc), f"{function.place} says nothing of errors"
