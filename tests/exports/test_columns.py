"""Every column of a record's table is exported, or follows from what is."""

import re

import pytest

from stenod.query.exported import TYPES
from stenod.store.connection import open_writer
from stenod.store.migrate import migrate

DERIVED = {
    "id": "the row's own, of this database",
    "computed_cost_usd": "from tokens and prices",
    "price_id": "from tokens and prices",
    "cost_complete": "from tokens and prices",
    "prompt_hash": "from the prompt",
    "session_id": "a conversation's, by its key",
    "prompt_id": "the prompt's message, said beside it",
    "output_id": "the output's message, said beside it",
}


@pytest.mark.parametrize("table", sorted({kind.table for kind in TYPES}))
def test_no_column_is_left_out(table: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    connection = open_writer(tmp_path_factory.mktemp("columns") / "steno.db")
    migrate(connection)
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.close()
    kinds = [kind for kind in TYPES if kind.table == table]
    said = " ".join(column.sql for kind in kinds for column in kind.columns)
    left_out = {name for name in columns if not re.search(rf"\bt\.{name}\b", said)}
    assert left_out <= DERIVED.keys(), "export them, in exported.py and exported_types.py"
