"""Settings: defaults, then ``config.toml``, then the environment; each value knows its origin.

What is wrong with one value takes nothing but that value away. Who only saves goes on without it
(``load_usable``); who starts, captures or deletes by the settings refuses (``load``).
"""

import os
from collections.abc import Iterator
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta, Struct

from steno_schema.configfile import read
from steno_schema.jobsettings import Jobs
from steno_schema.labels import (
    CATEGORIES,
    COMPLEXITY_LEVELS,
    STAGES,
    TECHNIQUES,
    AnalysisSettings,
    contradictions,
    with_own,
)
from steno_schema.paths import Paths
from steno_schema.retentionsettings import Retention


class ConfigError(ValueError):
    """The configuration cannot be used; the message says where and why."""


class Tracking(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the tracker, decorators and middleware do; direct saves are never filtered.

    The lists hold the labels that an exchange may have, whoever says them.
    """

    enabled: bool = True
    debug: bool = False
    min_length: Annotated[int, Meta(ge=0, le=100_000)] = 5
    auto_categorize: bool = True
    duplicate_check: Literal["session", "off", "all"] = "session"
    categories: tuple[str, ...] = CATEGORIES
    complexity_levels: tuple[str, ...] = COMPLEXITY_LEVELS
    stages: tuple[str, ...] = STAGES
    techniques: tuple[str, ...] = TECHNIQUES


class Capture(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which agents' files are read. ``roots`` names folders by agent; empty means the usual ones.

    ``ignore`` holds glob patterns of projects that stay out. ``alarm_command`` is run, without a
    shell, when an agent writes what is not understood; it gets JSON on its standard input.
    """

    enabled: bool = True
    roots: dict[str, tuple[str, ...]] = {}
    ignore: tuple[str, ...] = ()
    alarm_command: tuple[str, ...] = ()
    rescan_active_s: Annotated[float, Meta(ge=1)] = 30.0
    rescan_idle_s: Annotated[float, Meta(ge=10)] = 600.0


class Redaction(Struct, kw_only=True, forbid_unknown_fields=True):
    enabled: bool = True


class Defaults(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a script's records carry unless it says otherwise."""

    user: str | None = None
    project: str | None = None
    session: str | None = None


class Access(Struct, kw_only=True, forbid_unknown_fields=True):
    """Sockets for others than the daemon's user; none by default.

    ``group`` (name or number) may use them: ``read_socket`` to ask, ``append_socket`` to add. Each
    needs a folder of its own, which becomes the group's.
    """

    group: str | None = None
    read_socket: str | None = None
    append_socket: str | None = None


PerMillion = Annotated[float, Meta(ge=0, le=1e9)]


class OwnPrice(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a model costs, in US dollars per million tokens.

    Cache reads and writes without a price of their own are charged as input, writes for one hour
    as other writes.
    """

    input: PerMillion
    output: PerMillion
    cache_read: PerMillion | None = None
    cache_write: PerMillion | None = None
    cache_write_1h: PerMillion | None = None


class Settings(Struct, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set, with its default.

    ``prices`` holds a person's own by the name of the model, or a pattern with ``*``; they go
    before those that come with the release.
    """

    tracking: Tracking = msgspec.field(default_factory=Tracking)
    capture: Capture = msgspec.field(default_factory=Capture)
    analysis: AnalysisSettings = msgspec.field(default_factory=AnalysisSettings)
    redaction: Redaction = msgspec.field(default_factory=Redaction)
    defaults: Defaults = msgspec.field(default_factory=Defaults)
    prices: dict[str, OwnPrice] = {}
    access: Access = msgspec.field(default_factory=Access)
    jobs: Jobs = msgspec.field(default_factory=Jobs)
    retention: Retention = msgspec.field(default_factory=Retention)


ENVIRONMENT = {
    "STENO_ENABLED": ("tracking", "enabled"),
    "STENO_DEBUG": ("tracking", "debug"),
    "STENO_MIN_LENGTH": ("tracking", "min_length"),
    "STENO_AUTO_CATEGORIZE": ("tracking", "auto_categorize"),
    "STENO_DUPLICATE_CHECK": ("tracking", "duplicate_check"),
    "STENO_CATEGORIES": ("tracking", "categories"),
    "STENO_COMPLEXITY_LEVELS": ("tracking", "complexity_levels"),
    "STENO_CAPTURE": ("capture", "enabled"),
    "STENO_REDACTION": ("redaction", "enabled"),
    "STENO_USER": ("defaults", "user"),
    "STENO_PROJECT": ("defaults", "project"),
    "STENO_SESSION": ("defaults", "session"),
}
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class Loaded(Struct, frozen=True):
    """Settings, for each ``section.name`` where its value came from, and what cannot be used.

    Each problem is a sentence without its full stop; what it is about is at its default.
    """

    settings: Settings
    origins: dict[str, str]
    problems: tuple[str, ...] = ()


def load(paths: Paths, environ: dict[str, str] | None = None) -> Loaded:
    """Return the settings in force, or raise ``ConfigError`` with the first thing wrong."""
    loaded = load_usable(paths, environ)
    if loaded.problems:
        raise ConfigError(loaded.problems[0])
    return loaded


def load_usable(paths: Paths, environ: dict[str, str] | None = None) -> Loaded:
    """Return the settings as far as they can be used, and what is wrong with the rest."""
    file = read(paths.config)
    problems = list(file.problems)
    tree: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for section, name, value in _values(file.tree):
        place = file.at(section) if name is None else file.at(section, name)
        if problem := _put(tree, section, name, value):
            problems.append(f"{place}: {problem}")
        elif name is not None:
            origins[f"{section}.{name}"] = str(paths.config)
    for variable, (section, name) in ENVIRONMENT.items():
        text = (os.environ if environ is None else environ).get(variable)
        if not text:
            continue
        if problem := _put_variable(tree, variable, text):
            problems.append(f"{variable} is {text[:80]!r}: {problem}")
        else:
            origins[f"{section}.{name}"] = variable
    settings = msgspec.convert(tree, Settings, strict=False)
    for name, problem in contradictions(settings):
        problems.append(f"{file.at('analysis', name)}: {problem}")
        if tree["analysis"].pop(name, None) is not None:
            origins.pop(f"analysis.{name}")
    settings = msgspec.convert(tree, Settings, strict=False)
    settings.tracking = with_own(settings)
    for section in Settings.__struct_fields__:
        for name in getattr(getattr(settings, section), "__struct_fields__", ()):
            origins.setdefault(f"{section}.{name}", "default")
    return Loaded(settings, origins, tuple(_printable(problem) for problem in problems))


def _values(tree: dict[str, Any]) -> Iterator[tuple[str, str | None, Any]]:
    """Yield (section, name, value); what is no table of settings comes whole, without a name."""
    for section, held in tree.items():
        if isinstance(held, dict) and section in Settings.__struct_fields__:
            for name, value in cast("dict[str, Any]", held).items():
                yield section, name, value
        else:
            yield section, None, held


def _put(tree: dict[str, Any], section: str, name: str | None, value: object) -> str | None:
    """Put a value into the tree unless it does not fit; return what is wrong with it."""
    if section not in Settings.__struct_fields__:
        return f"there is no section {section!r}"
    alone = value if name is None else {name: value}
    try:
        msgspec.convert({section: alone}, Settings, strict=False)
    except msgspec.ValidationError as error:
        return str(error)
    if name is not None:
        tree.setdefault(section, {})[name] = value
    return None


def _put_variable(tree: dict[str, Any], variable: str, text: str) -> str | None:
    section, name = ENVIRONMENT[variable]
    lowered = text.strip().lower()
    if name in {"enabled", "debug", "auto_categorize"} and lowered not in _TRUE | _FALSE:
        return "say true or false"
    return _put(tree, section, name, _value(variable, text))


def _value(variable: str, text: str) -> object:
    lowered = text.strip().lower()
    if variable == "STENO_DUPLICATE_CHECK":
        return {**dict.fromkeys(_TRUE, "session"), **dict.fromkeys(_FALSE, "off")}.get(
            lowered, lowered
        )
    if variable in {"STENO_CATEGORIES", "STENO_COMPLEXITY_LEVELS"}:
        return [part.strip() for part in text.split(",") if part.strip()]
    if ENVIRONMENT[variable][1] in {"enabled", "debug", "auto_categorize"}:
        return lowered in _TRUE
    return text


def _printable(text: str) -> str:
    """Return ``text`` on one line, with what could steer a terminal made visible."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
