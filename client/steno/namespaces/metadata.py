"""``client.metadata``: small facts about the whole instance, by key."""

from msgspec import Struct

from steno.results import Saved
from steno.rows import select
from steno.verbs import Namespace, Runner, Steps, ask, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import MetadataEntry
from steno_schema.replies import Done
from steno_schema.requests import Delete

_CHOSEN = "SELECT value, uid FROM metadata WHERE key = :key"


class _Entry(Struct, frozen=True, kw_only=True):
    id: str
    value: str


class Metadata(Namespace[Runner]):
    """Keep a value under a key."""

    @verb
    def set(self, key: str, value: str) -> Steps[Saved]:
        """Keep a value under a key; the value before is replaced.

        Both are text. Raises ``Misuse`` for a value that is no text; without a daemon it is
        spooled like any save.

        Example::

            client.metadata.set("last_import", "2026-01-31")
        """
        return (yield from store_one(MetadataEntry(id=uuid7(), key=key, value=value)))

    @verb
    def get(self, key: str, default: str | None = None) -> Steps[str | None]:
        """Return the value under a key, ``default`` if there is none.

        Raises ``Unreachable`` without a daemon.

        Example::

            when = client.metadata.get("last_import")
        """
        entries = yield from select(_CHOSEN, {"key": key}, _Entry)
        return entries[0].value if entries else default

    @verb
    def delete(self, key: str) -> Steps[int]:
        """Forget the value under a key; return how many there were, 0 or 1.

        Raises ``Unreachable`` without a daemon.

        Example::

            client.metadata.delete("last_import")
        """
        entries = yield from select(_CHOSEN, {"key": key}, _Entry)
        if not entries:
            return 0
        return (yield from ask(Delete(target=entries[0].id, type="metadata_entry"), Done)).changed
