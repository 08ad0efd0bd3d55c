"""``PromptHistory``: the friendly face of one person's prompts, for scripts and notebooks."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

from steno.client import Client
from steno.errors import Misuse
from steno.exchanges import TokensLike
from steno.filters import FilterWords, When, monday
from steno_schema.limits import PAGE_MAX
from steno_schema.replies import ExchangeView, SearchResult, Statistics

_DATABASE = "steno.db"


class PromptHistory:
    """Save prompts with their outputs; find, count and export them.

    ``home`` (or ``db_path``, the older word for it) is the folder of a private instance; without
    it the user's own is meant. Reads need its daemon (``steno up``); ``save`` does not.
    Lists come newest first; ``limit=None`` means all. Raises ``Misuse`` for a folder that is a
    file, or two folders at once.

    Example::

        with PromptHistory() as history:
            history.save("Why is the sky blue?", "Rayleigh.", tags=["sky"])
            print(history.get_by_tag("sky")[0].output)
    """

    def __init__(
        self,
        db_path: str | os.PathLike[str] | None = None,
        *,
        home: str | os.PathLike[str] | None = None,
    ) -> None:
        if db_path is not None and home is not None:
            raise Misuse("Give either db_path or home; both name the instance's folder.")
        self._client = Client(_folder_of(db_path) if db_path is not None else home)

    def save(
        self,
        prompt: str,
        output: str = "",
        *,
        framework: str | None = None,
        template: str | None = None,
        model: str | None = None,
        tokens: TokensLike | None = None,
        cost: float | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        timestamp: When | None = None,
    ) -> str:
        """Record one exchange and return its id.

        ``cost`` is in US dollars, ``tokens`` a total or counts by bucket, ``timestamp`` the time
        it was asked (now unless given). When this returns the exchange is committed or, without
        a daemon, in the spool. Raises ``Misuse`` for a value that breaks a rule.

        Example::

            history.save("2 + 2?", "4", model="gpt-5", tokens={"input": 12, "output": 1}, cost=0.0001)
        """
        words: dict[str, Any] = {} if timestamp is None else {"created_at": timestamp}
        saved = self._client.history.save(
            prompt,
            output,
            framework=framework,
            template=template,
            model=model,
            tokens=tokens,
            cost_usd=cost,
            tags=tags,
            metadata=metadata,
            **words,
        )
        return saved.id

    def search(
        self, query: str, limit: int = 20, offset: int = 0, **words: Unpack[FilterWords]
    ) -> list[SearchResult]:
        """Return the best matches in prompts, outputs and tags, with highlighted snippets.

        ``offset`` leaves out so many of the best. In a snippet the words found stand between
        U+E000 and U+E001. Raises ``Unreachable`` without a daemon.

        Example::

            for result in history.search("sky blue", limit=5, since="30d"):
                print(result.created_at, result.snippet)
        """
        found: list[SearchResult] = []
        cursor: str | None = None
        while len(found) < offset + limit:
            rest = min(offset + limit - len(found), PAGE_MAX)
            page = self._client.history.search(query, limit=rest, cursor=cursor, **words)
            found += page
            cursor = page.next_cursor
            if cursor is None or not page:
                break
        return found[offset : offset + limit]

    def get_by_tag(self, tag: str, limit: int | None = 100) -> list[ExchangeView]:
        """Return the exchanges that carry ``tag``. Raises ``Unreachable`` without a daemon.

        Example::

            for exchange in history.get_by_tag("sky"):
                print(exchange.prompt)
        """
        return self._list(limit, tag=tag)

    def get_by_date_range(
        self, start: When, end: When, limit: int | None = 100
    ) -> list[ExchangeView]:
        """Return the exchanges from ``start`` to ``end``; a date as the end includes its day.

        Both are dates, times (without a zone: local) or text as filters take it. Raises
        ``Refused`` for text that is no time, ``Unreachable`` without a daemon.

        Example::

            january = history.get_by_date_range("2026-01-01", "2026-01-31", limit=None)
        """
        return self._list(limit, since=start, until=end)

    def get_by_framework(self, framework: str, limit: int | None = 100) -> list[ExchangeView]:
        """Return the exchanges made with ``framework``. Raises ``Unreachable`` without a daemon.

        Example::

            print(len(history.get_by_framework("langchain")))
        """
        return self._list(limit, framework=framework)

    def get_recent(self, limit: int | None = 10) -> list[ExchangeView]:
        """Return the newest exchanges. Raises ``Unreachable`` without a daemon.

        Example::

            for exchange in history.get_recent(3):
                print(exchange.created_at, exchange.prompt)
        """
        return self._list(limit)

    def get_today(self, limit: int | None = None) -> list[ExchangeView]:
        """Return the exchanges of today, local time. Raises ``Unreachable`` without a daemon.

        Example::

            print(len(history.get_today()))
        """
        return self._list(limit, since="today")

    def get_this_week(self, limit: int | None = None) -> list[ExchangeView]:
        """Return the exchanges since Monday, local time. Raises ``Unreachable`` without a daemon.

        Example::

            print(len(history.get_this_week()))
        """
        return self._list(limit, since=monday())

    def export_json(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        **words: Unpack[FilterWords],
    ) -> int:
        """Write what the filters choose to a new file as a JSON array; return how many.

        Raises ``Misuse`` if the file exists, unless ``overwrite``, and ``Unreachable`` without a
        daemon; then there is no file.

        Example::

            history.export_json("sky.json", tag="sky", overwrite=True)
        """
        return self._client.history.export(path, "json", overwrite=overwrite, **words)

    def export_csv(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        **words: Unpack[FilterWords],
    ) -> int:
        """Write what the filters choose to a new CSV file, safe to open in a spreadsheet.

        Returns how many. Raises ``Misuse`` if the file exists, unless ``overwrite``, and
        ``Unreachable`` without a daemon; then there is no file.

        Example::

            history.export_csv("week.csv", since="7d", overwrite=True)
        """
        return self._client.history.export(path, "csv", overwrite=overwrite, **words)

    def stats(self, **words: Unpack[FilterWords]) -> Statistics:
        """Return totals (entries, tokens, cost, top models, tags …) of what the filters choose.

        Costs are in US dollars. Raises ``Unreachable`` without a daemon.

        Example::

            totals = history.stats(since="30d").totals
            print(totals["exchanges"], totals["cost_usd"])
        """
        return self._client.history.stats(**words)

    def close(self) -> None:
        """Close the connections; closing twice is no harm. It raises nothing.

        Example::

            history.close()
        """
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _list(self, limit: int | None, **words: Unpack[FilterWords]) -> list[ExchangeView]:
        return list(self._iterate(words, limit))

    def _iterate(self, words: FilterWords, limit: int | None) -> Iterator[ExchangeView]:
        left = limit
        cursor: str | None = None
        while left is None or left > 0:
            size = PAGE_MAX if left is None else min(left, PAGE_MAX)
            page = self._client.history.recent(size, cursor=cursor, **words)
            yield from page
            cursor = page.next_cursor
            if cursor is None or not page:
                return
            left = None if left is None else left - len(page)


def _folder_of(db_path: str | os.PathLike[str]) -> Path:
    path = Path(db_path).expanduser()
    if path.name == _DATABASE:
        return path.parent
    if path.is_file():
        raise Misuse(
            f"{path} is a file.", "db_path names the folder of a private instance, or a new one."
        )
    return path
