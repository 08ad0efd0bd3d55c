"""What the analysis of one prompt costs, whatever else the daemon does."""

import random
import time
from pathlib import Path

from bench.tables import Row, median, percentile
from steno_schema.config import Settings
from stenod.analysis import tables
from stenod.analysis.analyser import Analyser

PROMPT_BYTES, OUTPUT_BYTES = 200, 600
PROMPTS = 500
ROUNDS = 21


def run(_folder: Path) -> list[Row]:
    """Half of the words are ones that the rules know: more than people write."""
    chance = random.Random(1)
    known = [
        w for points in tables.SUBJECTS.values() for line in points.values() for w in line.split()
    ]
    plain = [*tables.STOP_WORDS, "parser", "token", "client", "value", "example", "number"]

    def text(size_bytes: int) -> str:
        words: list[str] = []
        while sum(map(len, words)) + len(words) < size_bytes:
            words.append(chance.choice(chance.choice((known, plain))).replace("_", " "))
        return " ".join(words)

    prompts = [
        (text(PROMPT_BYTES), f"{text(60)}. {text(OUTPUT_BYTES - 60)}") for _ in range(PROMPTS)
    ]
    analyser = Analyser(Settings())
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for prompt, output in prompts:
            analyser.analyse(prompt, output)
        rounds.append((time.perf_counter() - started) / PROMPTS * 1e6)
    figures = {"median": median(rounds), "least": min(rounds), "p90": percentile(rounds, 0.9)}
    what = f"a prompt of {PROMPT_BYTES} bytes with an output of {OUTPUT_BYTES}"
    return [Row(what, {name: f"{value:.0f} µs" for name, value in figures.items()})]
