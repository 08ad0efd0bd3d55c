"""Reading what can be read of a table whose pages are partly damaged."""

from collections.abc import Iterator

import apsw

from stenod.store.connection import is_damage
from stenod.store.rows import Row, fetch_all

STEP_MAX = 2**62


class Table:
    """A table of a damaged database; ``is_damaged`` and ``missing`` are known after ``rows``."""

    def __init__(self, connection: apsw.Connection, name: str) -> None:
        self._connection = connection
        self.name = name
        info = fetch_all(connection, "SELECT name, pk FROM pragma_table_info(?)", (name,))
        self.columns = [str(column) for column, _ in info]
        self._key = [column for column, place in sorted(info, key=lambda each: each[1]) if place]
        self.has_rowid = not connection.execute(
            "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", (name,)
        ).get
        self.is_damaged = False
        self.missing: int | None = 0
        """Rows that are known to be there and cannot be read; ``None`` if nobody knows."""

    def rows(self) -> Iterator[Row]:
        """Yield every row that can be read, in no order that matters; some may come twice."""
        if not self.has_rowid:
            yield from self._from_both_ends()
            return
        read: set[int] = set()
        for row_id, *row in self._past_the_damage():
            read.add(row_id)
            yield tuple(row)
        if self.is_damaged:
            yield from self._one_by_one(read)

    def _past_the_damage(self) -> Iterator[Row]:
        """Yield (rowid, columns), leaping over what cannot be read."""
        query = f'SELECT rowid, {self.list_of_columns} FROM "{self.name}" WHERE rowid > ? ORDER BY rowid'
        reached, step = -(2**63), 1
        while True:
            try:
                for row in self._connection.execute(query, (reached,)):
                    reached, step = int(row[0]), 1
                    yield row
                return
            except apsw.Error as error:
                self._note(error)
            while True:
                if step > STEP_MAX or reached + step >= 2**63 - 1:
                    return
                try:
                    following = self._connection.execute(
                        f'SELECT min(rowid) FROM "{self.name}" WHERE rowid > ?', (reached + step,)
                    ).get
                except apsw.Error as error:
                    self._note(error)
                    step *= 2
                    continue
                if following is None:
                    return
                reached, step = max(int(following) - 1, reached + step), step * 2
                break

    def _one_by_one(self, read: set[int]) -> Iterator[Row]:
        """Yield the rows that an index names and that were leapt over."""
        named = self._named_by_an_index()
        if named is None:
            self.missing = None
            return
        query = f'SELECT {self.list_of_columns} FROM "{self.name}" WHERE rowid = ?'
        self.missing = 0
        for row_id in sorted(named - read):
            try:
                row = self._connection.execute(query, (row_id,)).fetchone()
            except apsw.Error as error:
                self._note(error)
                row = None
            if row is None:
                self.missing += 1
            else:
                yield row

    def _named_by_an_index(self) -> set[int] | None:
        """Return the rowids that an index of all rows holds, if one can be read to its end."""
        for name, partial in fetch_all(
            self._connection, "SELECT name, partial FROM pragma_index_list(?)", (self.name,)
        ):
            if not partial:
                try:
                    query = f'SELECT rowid FROM "{self.name}" INDEXED BY "{name}"'
                    return {row[0] for row in self._connection.execute(query)}
                except apsw.Error as error:
                    self._note(error)
        return None

    def _from_both_ends(self) -> Iterator[Row]:
        """Yield rows of a table without rowids, from its begin and from its end to the damage."""
        order = ", ".join(f'"{column}"' for column in self._key)
        for query in (
            f'SELECT {self.list_of_columns} FROM "{self.name}" ORDER BY {order}',
            f'SELECT {self.list_of_columns} FROM "{self.name}" ORDER BY {order.replace(",", " DESC,")} DESC',
        ):
            try:
                yield from self._connection.execute(query)
                if not self.is_damaged:
                    return
            except apsw.Error as error:
                self._note(error)
        self.missing = None

    @property
    def list_of_columns(self) -> str:
        """The columns as SQL names them."""
        return ", ".join(f'"{column}"' for column in self.columns)

    def _note(self, error: apsw.Error) -> None:
        if not is_damage(error):
            raise error
        self.is_damaged = True
