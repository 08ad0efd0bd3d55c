"""Settings: defaults, then ``config.toml``, then the environment; each value knows its origin."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta, Struct

from steno_schema.paths import Paths

CATEGORIES = (
    "database",
    "frontend",
    "backend",
    "api",
    "ui_ux",
    "bug_fix",
    "feature_request",
    "documentation",
    "testing",
    "deployment",
    "general",
    "other",
)
COMPLEXITY_LEVELS = ("simple", "moderate", "complex", "advanced")
STAGES = (
    "initial_setup",
    "feature_development",
    "bug_fixing",
    "refactoring",
    "optimization",
    "documentation",
    "testing",
    "deployment",
    "maintenance",
)


class ConfigError(ValueError):
    """The configuration cannot be used; the message says where and why."""


class Tracking(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the tracker, decorators and middleware do; direct saves are never filtered."""

    enabled: bool = True
    debug: bool = False
    min_length: Annotated[int, Meta(ge=0, le=100_000)] = 5
    auto_categorize: bool = True
    duplicate_check: Literal["session", "off", "all"] = "session"
    categories: tuple[str, ...] = CATEGORIES
    complexity_levels: tuple[str, ...] = COMPLEXITY_LEVELS
    stages: tuple[str, ...] = STAGES


class Capture(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which agents' files are read. ``roots`` names folders by agent; empty means the usual ones.

    ``ignore`` holds glob patterns of projects that stay out.
    """

    enabled: bool = True
    roots: dict[str, tuple[str, ...]] = {}
    ignore: tuple[str, ...] = ()
    rescan_active_s: Annotated[float, Meta(ge=1)] = 30.0
    rescan_idle_s: Annotated[float, Meta(ge=10)] = 600.0


class Redaction(Struct, kw_only=True, forbid_unknown_fields=True):
    enabled: bool = True


class Defaults(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a script's records carry unless it says otherwise."""

    user: str | None = None
    project: str | None = None
    session: str | None = None


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
    redaction: Redaction = msgspec.field(default_factory=Redaction)
    defaults: Defaults = msgspec.field(default_factory=Defaults)
    prices: dict[str, OwnPrice] = {}


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
    """Settings, and for each ``section.name`` where its value came from."""

    settings: Settings
    origins: dict[str, str]


def load(paths: Paths, environ: dict[str, str] | None = None) -> Loaded:
    """Return the settings in force, or raise ``ConfigError`` with one sentence."""
    env = dict(os.environ) if environ is None else environ
    tree = _read(paths.config)
    origins = {
        f"{section}.{name}": str(paths.config)
        for section, values in tree.items()
        if isinstance(values, dict)
        for name in cast("dict[str, Any]", values)
    }
    for variable, (section, name) in ENVIRONMENT.items():
        if env.get(variable):
            tree.setdefault(section, {})[name] = _value(variable, env[variable])
            origins[f"{section}.{name}"] = variable
    try:
        settings = msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{paths.config} or the environment: {error}") from error
    for section in Settings.__struct_fields__:
        for name in getattr(getattr(settings, section), "__struct_fields__", ()):
            origins.setdefault(f"{section}.{name}", "default")
    return Loaded(settings, origins)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _value(variable: str, text: str) -> object:
    lowered = text.strip().lower()
    if variable == "STENO_DUPLICATE_CHECK":
        return {**dict.fromkeys(_TRUE, "session"), **dict.fromkeys(_FALSE, "off")}.get(
            lowered, lowered
        )
    if variable in {"STENO_CATEGORIES", "STENO_COMPLEXITY_LEVELS"}:
        return [part.strip() for part in text.split(",") if part.strip()]
    if ENVIRONMENT[variable][1] in {"enabled", "debug", "auto_categorize"}:
        if lowered not in _TRUE | _FALSE:
            raise ConfigError(f"{variable} is {text!r}; say true or false.")
        return lowered in _TRUE
    return text
