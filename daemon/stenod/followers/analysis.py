"""The analysis of prompts: what the analyser guesses, beside what the user says."""

import logging

import apsw
import msgspec

from steno_schema.config import Settings
from stenod.analysis.analyser import Analyser
from stenod.followers.autotags import forget_tags, put_tags
from stenod.plugin.verdicts import mark_of
from stenod.store.changes import Kind
from stenod.store.days import mark_unclean
from stenod.store.rows import fetch_all
from stenod.traces import place_of

log = logging.getLogger("stenod.analysis")

_ROWS = """
SELECT e.id, p.content, coalesce(o.content, '') FROM exchange AS e
JOIN message AS p ON p.id = e.prompt_id
LEFT JOIN message AS o ON o.id = e.output_id
WHERE e.id BETWEEN ? AND ?
"""
_ASKED = """
SELECT exchange_id, asked FROM analysis WHERE exchange_id BETWEEN ? AND ? AND asked IS NOT NULL
"""


class AnalysisFollower:
    """Keeps ``analysis`` in step with ``exchange``."""

    name = "analysis"
    table = "exchange"
    kinds: frozenset[Kind] = frozenset({"exchange"})

    def __init__(self, settings: Settings) -> None:
        self._analyser = Analyser(settings)
        self._plugin = settings.analysis.plugin
        self.version = f"{self._analyser.version}:{self._plugin}"

    def reset(self, connection: apsw.Connection) -> None:
        forget_tags(connection)
        connection.execute("DELETE FROM analysis")

    def put(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        rows = []
        asked = self._asked(connection, first_id, last_id)
        for exchange_id, prompt, output in connection.execute(_ROWS, (first_id, last_id)):
            mark = mark_of(prompt, output) if self._plugin else None
            if mark is not None and asked.get(exchange_id) == mark:
                continue  # the plug-in's word on these very texts stands
            try:
                guess = self._analyser.analyse(prompt, output)
            except Exception as error:
                # A text that nobody thought of must not stop the analysis of the others.
                log.error("a prompt was not analysed: %s", place_of(error))
                continue
            keywords = msgspec.json.encode(guess.keywords).decode() if guess.keywords else None
            rows.append(
                (
                    exchange_id,
                    guess.category,
                    guess.complexity,
                    guess.technique,
                    guess.stage,
                    keywords,
                    guess.response_summary,
                    guess.follow_up,
                    guess.corrects,
                    mark,
                )
            )
        put_tags(connection, (first_id, last_id), {row[0]: row[1] for row in rows})
        connection.executemany(
            "INSERT OR REPLACE INTO analysis (exchange_id, category, complexity, technique,"
            " stage, keywords, response_summary, follow_up, corrects, waiting)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        # An analysis made anew changes what days were summed up as, without a change of records.
        mark_unclean(connection, "e.id BETWEEN ? AND ?", (first_id, last_id))

    def _asked(self, connection: apsw.Connection, first_id: int, last_id: int) -> dict[int, int]:
        """Return the marks of the texts that the plug-in has judged, by exchange."""
        if not self._plugin:
            return {}
        return dict(fetch_all(connection, _ASKED, (first_id, last_id)))

    def gone(self, connection: apsw.Connection, first_id: int, last_id: int) -> None:
        """Nothing to do: rows go with their exchange."""
