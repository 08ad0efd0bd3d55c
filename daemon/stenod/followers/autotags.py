"""The category as a tag, on exchanges that ask for it with the tag ``auto``.

Trackers cannot know the category when they record; whoever puts ``auto`` on an exchange leaves it
to the analysis. A category that the user said is not touched. A tag is put when the guess is made
or changes, not again and again: one that a person takes away stays away until the analysis of all
of history is made anew.
"""

from collections.abc import Mapping

import apsw

from stenod.followers.fulltext import FullText
from stenod.store.rows import fetch_all

AUTO_TAG = "auto"

_ASKING = """
SELECT e.id, a.category FROM exchange_tag AS t
JOIN exchange AS e ON e.id = t.exchange_id
LEFT JOIN analysis AS a ON a.exchange_id = e.id
WHERE t.tag = ? AND t.exchange_id BETWEEN ? AND ? AND e.category IS NULL
"""
_FORGET = """
DELETE FROM exchange_tag WHERE exchange_id IN
  (SELECT t.exchange_id FROM exchange_tag AS t JOIN exchange AS e ON e.id = t.exchange_id
   WHERE t.tag = ? AND e.category IS NULL)
AND tag = (SELECT a.category FROM analysis AS a WHERE a.exchange_id = exchange_tag.exchange_id)
"""


def put_tags(
    connection: apsw.Connection, span: tuple[int, int], guesses: Mapping[int, str | None]
) -> None:
    """Put the guessed categories on exchanges of ``span``; before ``analysis`` takes them over."""
    for exchange_id, former in fetch_all(connection, _ASKING, (AUTO_TAG, *span)):
        guess = guesses.get(exchange_id)
        if guess is None or guess == former:
            continue
        connection.execute(
            "DELETE FROM exchange_tag WHERE exchange_id = ? AND tag = ?", (exchange_id, former)
        )
        connection.execute(
            "INSERT OR IGNORE INTO exchange_tag (exchange_id, tag) VALUES (?, ?)",
            (exchange_id, guess),
        )
        for (message_id,) in fetch_all(
            connection, "SELECT id FROM message WHERE exchange_id = ?", (exchange_id,)
        ):
            FullText().put(connection, message_id, message_id)


def forget_tags(connection: apsw.Connection) -> None:
    """Take the guessed tags away, before the guesses themselves go."""
    connection.execute(_FORGET, (AUTO_TAG,))
