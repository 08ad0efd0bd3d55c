"""``client.history``: exchanges, that is prompts with what answered them."""

from collections.abc import Sequence
from typing import Any, Literal, Unpack

from steno.errors import Misuse, Refused
from steno.exchanges import AnnotationFields, ExchangeFields, exchange_of, spread
from steno.filters import FilterWords, When, Words, filters_of, monday
from steno.namespaces.files import Files
from steno.results import Found, Page, Saved, found
from steno.verbs import Runner, Steps, ask, store_one, verb
from steno_schema.errors import ErrorCode
from steno_schema.replies import (
    Done,
    Exchanges,
    ExchangeView,
    Results,
    SearchResult,
    Statistics,
)
from steno_schema.requests import Amend, Delete, Get, List, Search, Stats, StatsBy

_ALIKE_MAX = 200
"""Search results that are compared with a text, word by word."""


class History(Files[Runner]):
    """Save, find, annotate and forget exchanges."""

    @verb
    def save(
        self,
        prompt: str,
        output: str = "",
        *,
        model: str | None = None,
        conversation: str | None = None,
        **fields: Unpack[ExchangeFields],
    ) -> Steps[Saved]:
        """Record one exchange; return once it is committed, or in the spool without a daemon.

        User, project and session default to the settings, then to this process's own. Raises
        ``Misuse`` for a value that breaks a rule, ``Refused`` on a conflict, ``SpoolFailed`` if
        nobody could take it.

        Example::

            saved = client.history.save("Why is the sky blue?", "Rayleigh.", model="gpt-5")
        """
        words: dict[str, Any] = {**fields, "model": model, "conversation": conversation}
        if words.get("user") is None:
            words["user"] = self._context.user()
        if words.get("project") is None:
            words["project"] = self._context.project()
        if words.get("session") is None and conversation is None:
            words["session"] = self._context.session()
        return (yield from store_one(exchange_of(prompt, output, words)))

    @verb
    def get(self, target: str | int) -> Steps[ExchangeView]:
        """Return one exchange by its UUID, a unique prefix of one, or its number.

        Raises ``Refused`` (``not_found``) if there is none.

        Example::

            print(client.history.get(42).output)
        """
        return (yield from _get(target))

    @verb
    def update(
        self,
        target: str | int,
        *,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        **changes: Unpack[AnnotationFields],
    ) -> Steps[int]:
        """Change what is said about an exchange: rating, follow_up, notes, tags and the like.

        ``None`` empties a field; ``tags`` replaces all tags. Returns how many exchanges changed.

        The rating is from 0 to 10. Raises ``Misuse`` for a field that cannot be changed, ``Refused``
        if there is no such exchange or a value does not fit.

        Example::

            client.history.update(42, rating=8, add_tags=["keep"])
        """
        unknown = changes.keys() - AnnotationFields.__annotations__.keys()
        if unknown:
            raise Misuse(f"An exchange has no field {min(unknown)!r} that can be changed.")
        fields: dict[str, Any] = dict(changes)
        spread(fields)
        adding, removing = list(add_tags), list(remove_tags)
        if "tags" in fields:
            wanted: list[str] = fields.pop("tags") or []
            view = yield from _get(target)
            adding += wanted
            removing += [tag for tag in view.tags if tag not in wanted]
        amend = Amend(target=str(target), set=fields, add_tags=adding, remove_tags=removing)
        reply = yield from ask(amend, Done)
        return reply.changed

    @verb
    def delete(
        self,
        target: str | int | None = None,
        *,
        dry_run: bool = False,
        **words: Unpack[FilterWords],
    ) -> Steps[int]:
        """Forget one exchange, or all that the filters choose, for good; return how many.

        ``dry_run`` only counts them. Raises ``Misuse`` without target and filters, ``Refused`` if
        there is no such exchange, ``Unreachable`` without a daemon.

        Example::

            client.history.delete(tag="scratch", until="30d")
        """
        if (target is None) == (not words):
            raise Misuse("Say which exchanges to delete: one target, or filters.")
        delete = Delete(
            target=None if target is None else str(target),
            filters=filters_of(words) if words else None,
            dry_run=dry_run,
        )
        reply = yield from ask(delete, Done)
        return reply.changed

    @verb
    def search(
        self,
        query: str = "",
        *,
        limit: int = 20,
        cursor: str | None = None,
        rank: Literal["best", "recent", "exact"] = "best",
        **words: Unpack[FilterWords],
    ) -> Steps[Found]:
        """Search prompts, outputs and tags; every query is valid. See ``SearchResult``.

        Raises ``Unreachable`` without a daemon.

        Example::

            for result in client.history.search("auth bug", since="30d"):
                print(result.created_at, result.snippet)
        """
        search = Search(
            query=query, filters=filters_of(words), limit=limit, cursor=cursor, rank=rank
        )
        return found((yield from ask(search, Results)))

    @verb
    def similar(
        self, text: str, limit: int = 10, **words: Unpack[FilterWords]
    ) -> Steps[list[SearchResult]]:
        """Return the exchanges whose prompts are most like ``text``, the most alike first.

        Likeness (``score``, from 0 to 1) goes by words: the share they have in common, rare ones
        counting more; 1 means the same words. Text without a word finds nothing. Raises
        ``Unreachable`` without a daemon.

        Example::

            for result in client.history.similar("How do I fix the login bug?", limit=3):
                print(result.score, result.prompt)
        """
        from steno.similar import by_likeness, query_of  # only some programs need it

        query = query_of(text)
        if not query:
            return []
        words.setdefault("role", "user")
        search = Search(query=query, filters=filters_of(words), limit=_ALIKE_MAX)
        reply = yield from ask(search, Results)
        return by_likeness(text, reply.results)[:limit]

    @verb
    def recent(
        self, limit: int = 20, *, cursor: str | None = None, **words: Unpack[FilterWords]
    ) -> Steps[Page[ExchangeView]]:
        """Return the newest exchanges that the filters choose, newest first.

        Raises ``Unreachable`` without a daemon.

        Example::

            for exchange in client.history.recent(5, project="/home/ada/api"):
                print(exchange.prompt)
        """
        return (yield from _page(words, limit, cursor))

    @verb
    def today(
        self, limit: int = 1000, *, cursor: str | None = None, **words: Unpack[FilterWords]
    ) -> Steps[Page[ExchangeView]]:
        """Return the exchanges of today (local time), newest first.

        Raises ``Unreachable`` without a daemon.

        Example::

            print(len(client.history.today()))
        """
        words["since"] = "today"
        return (yield from _page(words, limit, cursor))

    @verb
    def this_week(
        self, limit: int = 1000, *, cursor: str | None = None, **words: Unpack[FilterWords]
    ) -> Steps[Page[ExchangeView]]:
        """Return the exchanges since Monday (local time), newest first.

        Raises ``Unreachable`` without a daemon.

        Example::

            page = client.history.this_week(agent="codex")
        """
        words["since"] = monday()
        return (yield from _page(words, limit, cursor))

    @verb
    def by_tag(
        self,
        tag: Words,
        limit: int = 100,
        *,
        cursor: str | None = None,
    ) -> Steps[Page[ExchangeView]]:
        """Return the exchanges that carry the tag, or all of several tags, newest first.

        Raises ``Unreachable`` without a daemon.

        Example::

            page = client.history.by_tag(["auth", "bug"])
        """
        return (yield from _page(FilterWords(tag=tag), limit, cursor))

    @verb
    def by_framework(
        self,
        framework: Words,
        limit: int = 100,
        *,
        cursor: str | None = None,
    ) -> Steps[Page[ExchangeView]]:
        """Return the exchanges of the framework, or of any of several, newest first.

        Raises ``Unreachable`` without a daemon.

        Example::

            page = client.history.by_framework("flask")
        """
        return (yield from _page(FilterWords(framework=framework), limit, cursor))

    @verb
    def by_model(
        self,
        model: Words,
        limit: int = 100,
        *,
        cursor: str | None = None,
    ) -> Steps[Page[ExchangeView]]:
        """Return the exchanges that the model answered, or any of several, newest first.

        Raises ``Unreachable`` without a daemon.

        Example::

            page = client.history.by_model("gpt-5", limit=10)
        """
        return (yield from _page(FilterWords(model=model), limit, cursor))

    @verb
    def between(
        self,
        since: When,
        until: When,
        limit: int = 100,
        *,
        cursor: str | None = None,
    ) -> Steps[Page[ExchangeView]]:
        """Return the exchanges of a stretch of time; ``until`` as a date includes that day.

        Raises ``Refused`` for a time that is none, ``Unreachable`` without a daemon.

        Example::

            page = client.history.between("2026-01-01", "2026-01-31")
        """
        words = FilterWords(since=since, until=until)
        return (yield from _page(words, limit, cursor))

    @verb
    def stats(
        self,
        by: StatsBy | None = None,
        *,
        limit: int = 50,
        **words: Unpack[FilterWords],
    ) -> Steps[Statistics]:
        """Return totals of what the filters choose and, with ``by``, of each group.

        Days and weeks (named by their Monday) and hours (00 to 23) are local time. Costs are in
        US dollars, ``mean_response_ms`` in milliseconds over the ``timed`` exchanges. Raises
        ``Unreachable`` without a daemon.

        Example::

            print(client.history.stats(by="week", since="30d").groups)
        """
        stats = Stats(filters=filters_of(words), by=by, limit=limit)
        return (yield from ask(stats, Statistics))


def _get(target: str | int) -> Steps[ExchangeView]:
    reply = yield from ask(Get(target=str(target)), Exchanges)
    if not reply.items:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no exchange {target}.")
    return reply.items[0]


def _page(words: FilterWords, limit: int, cursor: str | None) -> Steps[Page[ExchangeView]]:
    request = List(filters=filters_of(words), limit=limit, cursor=cursor)
    reply = yield from ask(request, Exchanges)
    return Page(reply.items, reply.next_cursor)
