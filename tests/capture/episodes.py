"""Episodes: chance does to transcripts what agents and people do, and kills the watcher.

What must hold at any time: a line that stood whole in a file when a scan looked at it is stored,
nothing is stored that was never written, nothing is stored twice, and what is kept of a file's
bytes is what stands in it as far as it was read.
"""

import os
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from capture.build import append, claude_prompt, claude_reply, codex_thread, codex_turn, joined
from capture.inprocess import CLAUDE, CODEX, InProcess
from steno.capture.compression import decompress
from steno.capture.discovery import scan
from steno.errors import Unreachable
from steno_schema.ids import uuid8
from steno_schema.requests import Append

STEPS = 40
FILES = 3
_WORDS = re.compile(rb'"((?:Ask|Answer) w\d{6})"')


class Broken(AssertionError):
    """What must hold does not."""


class Episode:
    """One seeded run in a folder of its own; ``counts`` tells what happened in it.

    Codex names a line by its place in its thread, so its files only grow, move and vanish here.
    """

    def __init__(self, seed: int, root: Path) -> None:
        self._chance = random.Random(seed)
        self._root = root
        self._agent = CODEX if seed % 4 == 3 else CLAUDE
        self._words = 0
        self._names = 0
        self._torn: dict[int, bytes] = {}
        """What is still to be written after a cut, by inode."""
        self._faults: list[str] = []
        self._written: dict[str, bytes] = {}
        self._seen: set[str] = set()
        self.counts = Counter[str]()
        self.store = InProcess(Path(":memory:"))
        self.store.fault = self._fault

    def run(self) -> None:
        """Let things happen, then look at everything twice, and check."""
        steps: list[Callable[[], None]] = [self._append, self._append, self._cut, self._move]
        steps += [self._rotate, self._link, self._delete, self._scan, self._hint, self._kill]
        if self._agent is CLAUDE:
            steps += [self._truncate, self._regrow, self._rewrite, self._recreate, self._repeat]
        for _ in range(STEPS):
            step = self._chance.choice(steps)
            step()
            self.counts[step.__name__.strip("_")] += 1
        self._faults.clear()
        self._scan()
        self._scan()
        self._check()

    # ----- what is written

    def _file(self) -> Path:
        """Return one of the files, or one that is not there yet."""
        found = sorted(each.path for each in scan([(self._agent, self._root)]))
        if len(found) >= FILES or (found and self._chance.random() < 0.7):
            return self._chance.choice(found)
        self._names += 1
        return self._root / f"folder{self._names % 2}" / self._name()

    def _name(self) -> str:
        thread = uuid8("episode", str(self._names), str(self._words))
        return f"rollout-2026-01-02T03-04-05-{thread}.jsonl"

    def _lines(self, path: Path) -> bytes:
        """Return one or two turns that nobody wrote before."""
        data = b""
        exists = path.exists() and path.stat().st_size > 0
        for number in range(self._chance.randrange(1, 3)):
            self._words += 1
            words = f"w{self._words:06}"
            if self._agent is CLAUDE:
                filler = "x" * self._chance.choice([0, 0, 3000])
                data += claude_prompt(f"Ask {words}", slug=filler)
                data += claude_reply(f"Answer {words}")
            elif number or exists:
                data += joined(codex_turn(words, self._words))
            else:
                data += codex_thread(path.stem[-36:], words)
        for line in data.split(b"\n"):
            self._written |= dict.fromkeys(_words_of(line), line)
        return data

    def _words_in(self, data: bytes) -> set[str]:
        """Return what the lines say that stand whole in ``data``, torn ones before them or not."""
        found: set[str] = set()
        *lines, last = data.split(b"\n")
        for line in lines:
            found |= {words for words in _words_of(line) if self._written[words] in line}
        # Without its newline a line is whole if it is nothing but one object.
        return found | {words for words in _words_of(last) if self._written[words] == last}

    def _append(self) -> None:
        path = self._file()
        append(path, self._pending(path))
        append(path, self._lines(path))

    def _pending(self, path: Path) -> bytes:
        return self._torn.pop(path.stat().st_ino, b"") if path.exists() else b""

    def _cut(self) -> None:
        """Write a part of what is to come; the rest follows with the next append."""
        path = self._file()
        append(path, self._pending(path))
        data = self._lines(path)
        cut = self._chance.randrange(1, len(data))
        append(path, data[:cut])
        self._torn[path.stat().st_ino] = data[cut:]

    def _truncate(self) -> None:
        path = self._file()
        if path.exists():
            self._pending(path)
            os.truncate(path, self._chance.randrange(path.stat().st_size + 1))

    def _regrow(self) -> None:
        """Take the last line off and write others: the file may be longer than it was read."""
        path = self._file()
        if path.exists():
            self._pending(path)
            kept = path.read_bytes().rstrip(b"\n").rpartition(b"\n")[0]
            os.truncate(path, len(kept))
            append(path, b"\n" * bool(kept) + self._lines(path))

    def _rewrite(self) -> None:
        """Write something else into the file."""
        path = self._file()
        if path.exists():
            self._pending(path)
            path.write_bytes(b"".join(self._lines(path) for _ in range(2)))

    def _repeat(self) -> None:
        """Write identical bytes in place: nobody can tell, and nothing may come of it."""
        path = self._file()
        if path.exists():
            path.write_bytes(path.read_bytes())

    def _recreate(self) -> None:
        path = self._file()
        if path.exists():
            self._pending(path)
            path.unlink()
            append(path, self._lines(path))

    # ----- where it is

    def _rotate(self) -> None:
        path = self._file()
        if path.exists():
            self._names += 1
            path.rename(path.with_name(self._name()))
            if self._agent is CLAUDE:
                append(path, self._lines(path))

    def _move(self) -> None:
        path = self._file()
        if path.exists():
            target = self._root / "archived" / path.name
            target.parent.mkdir(exist_ok=True)
            path.replace(target)

    def _link(self) -> None:
        path = self._file()
        if path.exists():
            self._names += 1
            path.with_name(self._name()).hardlink_to(path)

    def _delete(self) -> None:
        path = self._file()
        if path.exists():
            if path.stat().st_nlink == 1:
                self._pending(path)
            path.unlink()

    # ----- the watcher

    def _scan(self) -> None:
        """Look at everything; what stands whole in a file now must be stored from here on."""
        standing = [each.path.read_bytes() for each in scan([(self._agent, self._root)])]
        if self._live(lambda: self.store.rescan(self._root, self._agent)):
            self._seen.update(*(self._words_in(data) for data in standing))

    def _hint(self) -> None:
        path = self._file()
        self._live(lambda: self.store.read(path, self._agent))

    def _kill(self) -> None:
        """Have the watcher die at one of the next appends, before or after its commit."""
        self._faults.append(self._chance.choice(["drop", "lose"]))

    def _fault(self, _append: Append) -> str | None:
        if not self._faults or self._chance.random() < 0.5:
            return None
        fault = self._faults.pop()
        self.counts[fault] += 1
        return fault

    def _live(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except Unreachable:
            if self._chance.random() < 0.5:
                self.store.restart()
            return False
        return True

    # ----- what must hold

    def _check(self) -> None:
        stored = Counter(
            row[0] for row in self.store.rows("SELECT content FROM message WHERE kind = 'text'")
        )
        _require(not (lost := self._seen - stored.keys()), f"lost: {sorted(lost)}")
        made = stored.keys() - self._written.keys()
        _require(not made, f"made up: {sorted(made)}")
        twice = [words for words, count in stored.items() if count > 1]
        _require(not twice, f"twice: {twice}")
        usages = self.store.rows("SELECT count(*) FROM usage")[0][0]
        answers = sum(words.startswith("Answer") for words in stored)
        _require(usages <= answers, f"{usages} usages of {answers} answers")
        for row in self.store.rows(
            "SELECT id, path, offset, lines FROM source WHERE state = 'live'"
        ):
            self._check_kept(*row)

    def _check_kept(self, source: int, path: str, offset: int, lines: int) -> None:
        reached, kept = 0, b""
        for start, end, codec, data, kept_size in self.store.rows(
            "SELECT start_offset, end_offset, codec, data, kept_size FROM source_chunk"
            " WHERE source_id = ?"
            " ORDER BY id",
            (source,),
        ):
            _require(start == reached, f"{path}: kept from {start}, not {reached}")
            reached, kept = end, kept + decompress(data, codec)[:kept_size]
        standing = Path(path).read_bytes()[:offset]
        _require(kept == standing, f"{path}: {len(kept)} bytes are kept that do not stand there")
        whole = sum(1 for line in standing.split(b"\n") if line.strip())
        _require(lines >= whole, f"{path}: {lines} lines of {whole}")


def _words_of(line: bytes) -> list[str]:
    return [words.decode() for words in _WORDS.findall(line)]


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)
