"""The table of proofs is complete, and every test it names is there and does what it says."""

import ast
import functools
from pathlib import Path

import pytest

from proof.table import NOT_YET, ROWS, VERBS
from steno.aclient import AsyncClient
from steno.client import Client
from steno.verbs import Namespace, Verb

TESTS = Path(__file__).resolve().parents[1]
PROMISED = {
    *("A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A11", "A12"),
    *("B1", "B2", "B3", "B4", "B6", "B12", "C1", "C2", "C4", "C8"),
    *("D1", "D2", "D3", "D4", "D5", "D6", "E1"),
}
BY_ITSELF = {"batch", "subscribe", "close"}
"""What a client does besides its verbs."""
ANOTHER_WAY = ("live.row(", "live.rows(", "client.sql(")
"""How a proof reads back what a verb did."""


def verbs_of(client: Client | AsyncClient) -> set[str]:
    """Return the verbs that a client has, as people write them."""
    found = {name for name in BY_ITSELF if callable(getattr(client, name, None))}
    found |= {name for kind in type(client).__mro__ for name in _verbs(kind)}
    for name in dir(client):
        group = getattr(client, name)
        if not name.startswith("_") and isinstance(group, Namespace):
            found |= {f"{name}.{verb}" for kind in type(group).__mro__ for verb in _verbs(kind)}
    return found


def _verbs(kind: type) -> set[str]:
    return {name for name, value in vars(kind).items() if isinstance(value, Verb)}


@functools.cache
def functions_in(file: str) -> dict[str, tuple[str, set[str]]]:
    """Return the test functions of a file: their text, and what they take."""
    text = (TESTS / file).read_text(encoding="utf-8")
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            names = {argument.arg for argument in node.args.args}
            found[node.name] = (ast.get_source_segment(text, node) or "", names)
    return found


def proof_of(proof: str) -> tuple[str, set[str]]:
    file, _, name = proof.partition("::")
    assert Path(file).name.startswith("test_"), f"pytest does not collect {file}"
    tests = functions_in(file)
    assert name in tests, f"{file} has no {name}"
    return tests[name]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_every_verb_has_its_proof(kind: type[Client | AsyncClient], tmp_path: Path) -> None:
    assert verbs_of(kind(tmp_path)) - NOT_YET == set(VERBS)


def test_what_is_there_is_not_missing(tmp_path: Path) -> None:
    """Whoever builds a verb takes it from the list and names its proof."""
    assert not verbs_of(Client(tmp_path)) & NOT_YET


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_called_in_both_colours_and_read_another_way(verb: str) -> None:
    text, takes = proof_of(VERBS[verb])
    assert "live" in takes, "it does not run against a real daemon in both colours"
    assert f"{verb.rpartition('.')[2]}(" in text, "it does not call the verb"
    assert any(way in text for way in ANOTHER_WAY), "it only asks the verb itself"


def test_every_row_has_its_proof() -> None:
    assert set(ROWS) == PROMISED


@pytest.mark.parametrize("row", ROWS)
def test_the_proofs_of_a_row_are_there(row: str) -> None:
    for proof in ROWS[row]:
        proof_of(proof)
