"""The price list: which model a name means, and what a call of it cost at its time.

The list is a file of this package, made by ``make prices``; it has a version, and that is kept
with every cost. What cannot be found has no price, which is not the same as costing nothing.
"""

import functools
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fnmatch import fnmatchcase
from importlib import resources
from typing import NamedTuple

import msgspec
from msgspec import Struct

from steno_schema.config import OwnPrice
from stenod.prices.rules import Rule

OWN_VERSION = "config.toml"
"""The version of prices that the person gave."""
NAMES_KEPT = 1024
"""Names whose model is remembered; a transcript may make up any number of them."""
NAME_MAX_CHARS = 200
_MILLION = 1_000_000
_OF_BEDROCK = re.compile(r"(?:[a-z-]+\.)?[a-z0-9]+\.[a-z]")
_SUFFIX = re.compile(r"\[[^\[\]]*\]$")
_COMPACT_DATE = re.compile(r"-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


class Counts(NamedTuple):
    """Tokens of one call in buckets; ``cache_write`` includes the two below it."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_5m: int
    cache_write_1h: int

    @property
    def is_zero(self) -> bool:
        return not any(self)


class Rates(Struct, frozen=True, kw_only=True):
    """US dollars per million tokens; what has no rate of its own is charged as input.

    Writes for one hour without a rate of their own are charged as other writes.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None


class Tier(Rates, frozen=True, kw_only=True):
    """Rates of all tokens of a call with more input than this, cached input included."""

    above_tokens: int


class Price(Rates, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rates from a day on (UTC), or between two times of every day."""

    since: date | None = None
    hours_utc: tuple[time, time] | None = None
    tiers: tuple[Tier, ...] = ()

    def holds(self, moment: datetime) -> bool:
        """Tell whether this price was in force."""
        if self.since is not None and moment.date() < self.since:
            return False
        if self.hours_utc is None:
            return True
        start, end = self.hours_utc
        now = moment.time()
        return start <= now < end if start <= end else now >= start or now < end


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model and its prices; of those that hold, the last one counts."""

    id: str
    match: Rule
    prices: tuple[Price, ...]

    def price_at(self, moment: datetime) -> Price:
        """Return the price in force; before all of them, the first."""
        return next((each for each in reversed(self.prices) if each.holds(moment)), self.prices[0])


class Provider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom models are bought from.

    ``makes`` tells its own models by their bare names, ``called`` its name before a slash;
    ``also`` names providers whose models it sells at their price.
    """

    id: str
    models: tuple[Model, ...]
    makes: Rule | None = None
    called: Rule | None = None
    also: tuple[str, ...] = ()


class PriceFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as it is."""

    version: str
    date: date
    source: str
    notice: str
    unit: str
    providers: tuple[Provider, ...]


class Quote(NamedTuple):
    """What one call was charged by: every rate is given, in US dollars per million tokens."""

    version: str
    provider: str
    model: str
    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    cache_write_1h: Decimal
    above_tokens: int

    def cost_usd(self, counts: Counts) -> float:
        """Return what the tokens cost, in US dollars."""
        written = max(counts.cache_write, counts.cache_write_5m + counts.cache_write_1h)
        sum_usd = (
            self.input * counts.input
            + self.output * counts.output
            + self.cache_read * counts.cache_read
            + self.cache_write * (written - counts.cache_write_1h)
            + self.cache_write_1h * counts.cache_write_1h
        )
        return float(sum_usd / _MILLION)


class PriceList:
    """The shipped prices behind the person's own, which are by name or by pattern (``my-*``)."""

    def __init__(self, own: Mapping[str, OwnPrice] | None = None) -> None:
        self._own = {name.lower(): price for name, price in (own or {}).items()}
        self._file = shipped()
        self._providers = {each.id: each for each in self._file.providers}
        self._find = functools.lru_cache(NAMES_KEPT)(self._found)

    @property
    def version(self) -> str:
        """The shipped file's version."""
        return self._file.version

    @property
    def key(self) -> str:
        """Another key means that costs may come out otherwise."""
        own = msgspec.json.encode(self._own, order="sorted")
        return f"{self.version}:{hashlib.blake2b(own, digest_size=6).hexdigest()}"

    def quote(self, name: str, counts: Counts, at_ms: int) -> Quote | None:
        """Return the price of a call at its time, or ``None`` if the model has none."""
        found = self._find(name[:NAME_MAX_CHARS].strip().lower())
        if found is None:
            return None
        version, provider, model = found
        price = model.price_at(datetime.fromtimestamp(at_ms / 1000, UTC).replace(tzinfo=None))
        read_in = counts.input + counts.cache_read + counts.cache_write
        reached = [tier for tier in price.tiers if read_in > tier.above_tokens]
        rates: Rates = reached[-1] if reached else price
        write = rates.input if rates.cache_write is None else rates.cache_write
        return Quote(
            version=version,
            provider=provider,
            model=model.id,
            input=rates.input,
            output=rates.output,
            cache_read=rates.input if rates.cache_read is None else rates.cache_read,
            cache_write=write,
            cache_write_1h=write if rates.cache_write_1h is None else rates.cache_write_1h,
            above_tokens=reached[-1].above_tokens if reached else 0,
        )

    def _found(self, name: str) -> tuple[str, str, Model] | None:
        own = self._own_name(name)
        if own is not None:
            return OWN_VERSION, "", _own_model(own, self._own[own])
        for spelling in _spellings(name.removeprefix("models/")):
            for provider, bare in self._sellers(spelling):
                model = self._model_of(provider, bare)
                if model is not None:
                    return self.version, provider.id, model
        return None

    def _own_name(self, name: str) -> str | None:
        if name in self._own:
            return name
        patterns = [each for each in self._own if "*" in each and fnmatchcase(name, each)]
        return max(patterns, key=len, default=None)

    def _sellers(self, name: str) -> Iterator[tuple[Provider, str]]:
        """Yield who may sell the model, and under which name."""
        for provider in self._providers.values():
            if provider.makes is not None and provider.makes.matches(name):
                yield provider, name
        called, slash, bare = name.partition("/")
        seller = self._provider(called) if slash else None
        if seller is not None:
            yield seller, bare
        elif _OF_BEDROCK.match(name):
            yield self._providers["aws"], name

    def _provider(self, name: str) -> Provider | None:
        if name in self._providers:
            return self._providers[name]
        for provider in self._providers.values():
            if provider.called is not None and provider.called.matches(name):
                return provider
        return None

    def _model_of(self, provider: Provider, name: str) -> Model | None:
        also = (self._providers[each] for each in provider.also if each in self._providers)
        models = (model for seller in (provider, *also) for model in seller.models)
        return next((model for model in models if model.match.matches(name)), None)


@functools.cache
def shipped() -> PriceFile:
    """Return the prices that came with this release."""
    data = (resources.files("stenod.prices") / "model_prices.json").read_bytes()
    return msgspec.json.decode(data, type=PriceFile)


def _own_model(name: str, price: OwnPrice) -> Model:
    rates = {
        field: None if value is None else Decimal(str(value))
        for field, value in msgspec.structs.asdict(price).items()
    }
    return Model(id=name, match=Rule(equals=name), prices=(msgspec.convert(rates, Price),))


def _spellings(name: str) -> Iterator[str]:
    """Yield a name, then without what a program put behind it, then with its date spelled out."""
    yield name
    plain = _SUFFIX.sub("", name)
    if plain != name:
        yield plain
    dashed = _COMPACT_DATE.sub(r"-\1-\2-\3", plain)
    if dashed != plain:
        yield dashed
