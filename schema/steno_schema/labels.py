"""Labels of prompts: the lists that come with steno, a person's own, and what is not in them."""

import re
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from steno_schema.limits import KEY_MAX_CHARS

if TYPE_CHECKING:
    from steno_schema.config import Settings, Tracking
    from steno_schema.records import Annotations

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
TECHNIQUES = (
    "zero_shot",
    "one_shot",
    "few_shot",
    "chain_of_thought",
    "tree_of_thought",
    "self_consistency",
    "react",
    "role",
    "decomposition",
    "structured_output",
    "refinement",
    "template",
    "other",
)

PHRASE_MAX_WORDS = 2
_PLUGIN = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_LISTS = {
    "category": "categories",
    "complexity": "complexity_levels",
    "stage": "stages",
    "technique": "techniques",
}
"""The list in ``[tracking]`` that each label of an exchange must stand in."""


class OwnLabel(Struct, kw_only=True, forbid_unknown_fields=True):
    """A category or stage of one's own, or more words for one that exists.

    A prompt that holds one of ``words`` (a word, or two in a row) counts ``points`` for it; those
    that leave no doubt count 4 in the rules that come with steno, hints 1.
    """

    name: Annotated[str, Meta(min_length=1, max_length=KEY_MAX_CHARS)]
    words: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...], Meta(min_length=1)
    ]
    points: Annotated[int, Meta(ge=1, le=20)] = 4


class AnalysisSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """How prompts are analysed.

    ``complexity_points`` says from how many points on a prompt is on the second level, the third
    and so on. ``plugin`` names a function as ``package.module:function`` that is asked before the
    rules; it gets ``plugin_deadline_s`` for each prompt.
    """

    category: tuple[OwnLabel, ...] = ()
    stage: tuple[OwnLabel, ...] = ()
    complexity_points: tuple[Annotated[int, Meta(ge=1, le=100)], ...] = ()
    plugin: str = ""
    plugin_deadline_s: Annotated[float, Meta(ge=0.05, le=60)] = 2.0


def contradictions(settings: "Settings") -> list[tuple[str, str]]:
    """Return what does not fit in ``[analysis]``: the setting's name, and a sentence about it."""
    analysis = settings.analysis
    found: list[tuple[str, str]] = []
    for name in ("category", "stage"):
        labels: tuple[OwnLabel, ...] = getattr(analysis, name)
        names = [label.name for label in labels]
        twice = next((each for each in names if names.count(each) > 1), None)
        if twice is not None:
            found.append((name, f"{twice!r} stands there twice; put its words together"))
        for label in labels:
            long = next((w for w in label.words if not 0 < len(w.split()) <= PHRASE_MAX_WORDS), "")
            if long:
                found.append((name, f"{long!r} of {label.name!r} is not one word or two"))
    points = analysis.complexity_points
    if points and len(points) != len(settings.tracking.complexity_levels) - 1:
        levels = len(settings.tracking.complexity_levels)
        found.append(
            ("complexity_points", f"{levels} levels need {levels - 1} numbers, not {len(points)}")
        )
    elif list(points) != sorted(set(points)):
        found.append(("complexity_points", "each number must be larger than the one before"))
    if analysis.plugin and not _PLUGIN.fullmatch(analysis.plugin):
        found.append(("plugin", f"{analysis.plugin!r} is not written as package.module:function"))
    return found


def with_own(settings: "Settings") -> "Tracking":
    """Return the tracking settings with the names of a person's own labels in their lists."""
    tracking, analysis = settings.tracking, settings.analysis
    return msgspec.structs.replace(
        tracking,
        categories=_joined(tracking.categories, analysis.category),
        stages=_joined(tracking.stages, analysis.stage),
    )


def _joined(names: tuple[str, ...], own: tuple[OwnLabel, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*names, *(label.name for label in own)]))


def unlisted(said: "Annotations", tracking: "Tracking") -> tuple[str, str] | None:
    """Return what is wrong with the labels of a record, and what to do; ``None`` if nothing is.

    An empty list takes every word.
    """
    for field, name in _LISTS.items():
        label: str | None = getattr(said, field)
        if label is not None and not is_listed(field, label, tracking):
            listed = ", ".join(getattr(tracking, name))
            others = f"{name} in the section [tracking] of config.toml can name others"
            return f"{label[:60]!r} is no configured {field}.", f"There are: {listed}; {others}."
    return None


def is_listed(field: str, label: object, tracking: "Tracking") -> bool:
    """Tell whether ``label`` may be said in ``field``; every word may in a field without a list."""
    listed: tuple[str, ...] = getattr(tracking, _LISTS[field]) if field in _LISTS else ()
    return not listed or label in listed
