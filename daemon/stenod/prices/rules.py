"""Which names mean a model: the rules of the price list's source."""

import re

import msgspec
from msgspec import Struct


class Rule(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One test of a name in lower case, or several; exactly one of the fields is given."""

    equals: str | None = None
    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    regex: str | None = None
    any_of: tuple["Rule", ...] = msgspec.field(name="or", default=())
    all_of: tuple["Rule", ...] = msgspec.field(name="and", default=())

    def matches(self, name: str) -> bool:
        """Tell whether ``name`` is one of those meant.

        >>> Rule(starts_with="GPT-").matches("gpt-5")
        True
        """
        if self.equals is not None:
            return name == self.equals.lower()
        if self.starts_with is not None:
            return name.startswith(self.starts_with.lower())
        if self.ends_with is not None:
            return name.endswith(self.ends_with.lower())
        if self.contains is not None:
            return self.contains.lower() in name
        if self.regex is not None:
            return re.search(self.regex, name) is not None
        if self.any_of:
            return any(rule.matches(name) for rule in self.any_of)
        return bool(self.all_of) and all(rule.matches(name) for rule in self.all_of)
