"""``client.history``: exchanges, that is prompts with what answered them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict, Unpack, cast

import msgspec

from steno.errors import Misuse, Refused
from steno.filters import FilterWords, When, Words, filters_of, time_text
from steno.results import Found, Page, Saved
from steno.verbs import Namespace, Runner, Steps, ask, store_one, verb
from steno_schema.errors import ErrorCode
from steno_schema.ids import uuid7
from steno_schema.records import Exchange, ExchangeStatus, Tokens
from steno_schema.replies import Done, Exchanges, ExchangeView, Results, Statistics
from steno_schema.requests import Amend, Delete, Get, List, Search, Stats

TokensLike = Tokens | Mapping[str, int] | int
"""Buckets, the same as a map, or only a total."""
_LISTS = frozenset({"tags", "keywords", "files_created", "files_modified", "commands_executed"})


class AnnotationFields(TypedDict, total=False):
    """What can be said about an exchange besides its text."""

    tags: Sequence[str]
    metadata: Mapping[str, Any] | None
    category: str | None
    complexity: str | None
    technique: str | None
    stage: str | None
    phase: str | None
    current_file: str | None
    keywords: Sequence[str] | None
    response_summary: str | None
    rating: float | None
    follow_up: bool | None
    notes: str | None
    files_created: Sequence[str] | None
    files_modified: Sequence[str] | None
    commands_executed: Sequence[str] | None


class ExchangeFields(AnnotationFields, total=False):
    """What an exchange may be saved with besides prompt and output."""

    id: str
    created_at: When
    session: str | None
    user: str | None
    project: str | None
    agent: str
    framework: str | None
    template: str | None
    tokens: TokensLike | None
    cost_usd: float | None
    status: ExchangeStatus
    response_time_ms: float | None


class History(Namespace[Runner]):
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
        """
        words: dict[str, Any] = {**fields, "model": model, "conversation": conversation}
        if words.get("user") is None:
            words["user"] = self.context.user()
        if words.get("project") is None:
            words["project"] = self.context.project()
        if words.get("session") is None and conversation is None:
            words["session"] = self.context.session()
        return (yield from store_one(exchange_of(prompt, output, words)))

    @verb
    def get(self, target: str | int) -> Steps[ExchangeView]:
        """Return one exchange by its UUID, a unique prefix of one, or its number.

        Raises ``Refused`` (``not_found``) if there is none.
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
        """
        unknown = changes.keys() - AnnotationFields.__annotations__.keys()
        if unknown:
            raise Misuse(f"An exchange has no field {min(unknown)!r} that can be changed.")
        fields: dict[str, Any] = dict(changes)
        _spread(fields)
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

        ``dry_run`` only counts them. Without target and filters it is ``Misuse``.
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
        """Search prompts, outputs and tags; every query is valid. See ``SearchResult``."""
        search = Search(
            query=query, filters=filters_of(words), limit=limit, cursor=cursor, rank=rank
        )
        return found((yield from ask(search, Results)))

    @verb
    def recent(
        self, limit: int = 20, *, cursor: str | None = None, **words: Unpack[FilterWords]
    ) -> Steps[Page[ExchangeView]]:
        """Return the newest exchanges that the filters choose, newest first."""
        return (yield from _page(words, limit, cursor))

    @verb
    def today(
        self, limit: int = 1000, *, cursor: str | None = None, **words: Unpack[FilterWords]
    ) -> Steps[Page[ExchangeView]]:
        """Return the exchanges of today (local time), newest first."""
        words["since"] = "today"
        return (yield from _page(words, limit, cursor))

    @verb
    def this_week(
        self, limit: int = 1000, *, cursor: str | None = None, **words: Unpack[FilterWords]
    ) -> Steps[Page[ExchangeView]]:
        """Return the exchanges since Monday (local time), newest first."""
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
        """Return the exchanges that carry the tag, or all of several tags, newest first."""
        return (yield from _page(FilterWords(tag=tag), limit, cursor))

    @verb
    def by_framework(
        self,
        framework: Words,
        limit: int = 100,
        *,
        cursor: str | None = None,
    ) -> Steps[Page[ExchangeView]]:
        """Return the exchanges of the framework, or of any of several, newest first."""
        return (yield from _page(FilterWords(framework=framework), limit, cursor))

    @verb
    def by_model(
        self,
        model: Words,
        limit: int = 100,
        *,
        cursor: str | None = None,
    ) -> Steps[Page[ExchangeView]]:
        """Return the exchanges that the model answered, or any of several, newest first."""
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
        """Return the exchanges of a stretch of time; ``until`` as a date includes that day."""
        words = FilterWords(since=since, until=until)
        return (yield from _page(words, limit, cursor))

    @verb
    def stats(
        self,
        by: Literal["day", "model", "agent", "project", "tag", "category", "session"]
        | None = None,
        *,
        limit: int = 50,
        **words: Unpack[FilterWords],
    ) -> Steps[Statistics]:
        """Return totals of what the filters choose and, with ``by``, of each group."""
        stats = Stats(filters=filters_of(words), by=by, limit=limit)
        return (yield from ask(stats, Statistics))


def exchange_of(prompt: str, output: str, words: Mapping[str, Any]) -> Exchange:
    """Return the record that ``save``'s arguments mean, with an id if they gave none."""
    fields = {name: value for name, value in words.items() if value is not None}
    fields.setdefault("id", uuid7())
    if "tokens" in fields:
        fields["tokens"] = tokens_of(fields["tokens"])
    if "created_at" in fields:
        fields["created_at"] = time_text(fields["created_at"])
    _spread(fields)
    try:
        return Exchange(prompt=valid_text(prompt), output=valid_text(output), **fields)
    except TypeError as error:
        raise Misuse(f"An exchange cannot be saved so: {error}.") from error


def tokens_of(value: TokensLike) -> Tokens:
    """Return the token buckets that a number (the total) or a map means."""
    if isinstance(value, Tokens):
        return value
    if isinstance(value, int):
        return Tokens(total=value)
    unknown = set(value) - set(Tokens.__struct_fields__)
    if unknown:
        known = ", ".join(Tokens.__struct_fields__)
        raise Misuse(f"There is no kind of tokens {min(unknown)!r}.", f"Known are: {known}.")
    try:
        return msgspec.convert(dict(value), Tokens)
    except msgspec.ValidationError as error:
        raise Misuse(f"These are no token counts: {error}.") from error


def valid_text(text: object) -> str:
    """Return text that can be stored: half characters (lone surrogates) become U+FFFD."""
    if not isinstance(text, str):
        raise Misuse(f"A prompt is text, not {type(text).__name__}.")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def found(reply: Results) -> Found:
    """Return search results with what the reply said about them."""
    results = Found(reply.results, reply.next_cursor)
    results.complete, results.behind = reply.complete, reply.behind
    return results


def monday() -> str:
    """Return the date of this week's Monday, local time."""
    today = datetime.now().astimezone().date()
    return (today - timedelta(days=today.weekday())).isoformat()


def _get(target: str | int) -> Steps[ExchangeView]:
    reply = yield from ask(Get(target=str(target)), Exchanges)
    if not reply.items:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no exchange {target}.")
    return reply.items[0]


def _page(words: FilterWords, limit: int, cursor: str | None) -> Steps[Page[ExchangeView]]:
    request = List(filters=filters_of(words), limit=limit, cursor=cursor)
    reply = yield from ask(request, Exchanges)
    return Page(reply.items, reply.next_cursor)


def _spread(fields: dict[str, Any]) -> None:
    """Make lists of the fields that hold several texts, however they were given."""
    for name in _LISTS & fields.keys():
        if fields[name] is not None:
            fields[name] = _texts(name, fields[name])


def _texts(name: str, value: object) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, Sequence | set | frozenset):
        return [str(part) for part in cast("Iterable[object]", value)]
    raise Misuse(f"{name!r} takes texts, not {type(value).__name__}.")
