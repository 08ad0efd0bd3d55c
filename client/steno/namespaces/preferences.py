"""``client.preferences``: small settings that a person has, by key."""

from msgspec import Struct

from steno.errors import Misuse
from steno.results import Saved
from steno.rows import select
from steno.verbs import Namespace, Runner, Steps, ask, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Preference
from steno_schema.replies import Done
from steno_schema.requests import Delete

_CHOSEN = """
SELECT preference_key AS key, preference_value AS value, uid FROM user_preferences
WHERE user_id = :user AND (:key IS NULL OR preference_key = :key) ORDER BY preference_key
"""


class _Entry(Struct, frozen=True, kw_only=True):
    id: str
    key: str
    value: str


class Preferences(Namespace[Runner]):
    """Keep a value under a key for each user; the user defaults to the settings' own."""

    @verb
    def set(self, key: str, value: str, *, user: str | None = None) -> Steps[Saved]:
        """Keep a preference of a user; the value before is replaced.

        Both are text. Raises ``Misuse`` without a user and for a value that is no text; without a
        daemon it is spooled like any save.

        Example::

            client.preferences.set("tone", "terse", user="ada")
        """
        record = Preference(id=uuid7(), user=self._user(user), key=key, value=value)
        return (yield from store_one(record))

    @verb
    def get(
        self, key: str, default: str | None = None, *, user: str | None = None
    ) -> Steps[str | None]:
        """Return a preference's value, ``default`` if the user has none under that key.

        Raises ``Misuse`` without a user, ``Unreachable`` without a daemon.

        Example::

            tone = client.preferences.get("tone", "friendly", user="ada")
        """
        entries = yield from select(_CHOSEN, {"user": self._user(user), "key": key}, _Entry)
        return entries[0].value if entries else default

    @verb
    def all(self, *, user: str | None = None) -> Steps[dict[str, str]]:
        """Return a user's preferences, values by key.

        Raises ``Misuse`` without a user, ``Unreachable`` without a daemon.

        Example::

            for key, value in client.preferences.all(user="ada").items():
                print(key, value)
        """
        entries = yield from select(_CHOSEN, {"user": self._user(user), "key": None}, _Entry)
        return {entry.key: entry.value for entry in entries}

    @verb
    def delete(self, key: str, *, user: str | None = None) -> Steps[int]:
        """Forget a preference; return how many there were, 0 or 1.

        Raises ``Misuse`` without a user, ``Unreachable`` without a daemon.

        Example::

            client.preferences.delete("tone", user="ada")
        """
        entries = yield from select(_CHOSEN, {"user": self._user(user), "key": key}, _Entry)
        if not entries:
            return 0
        return (yield from ask(Delete(target=entries[0].id, type="preference"), Done)).changed

    def _user(self, user: str | None) -> str:
        chosen = user or self._context.user()
        if chosen is None:
            raise Misuse("A preference belongs to a user.", "Give user=, or set defaults.user.")
        return chosen
