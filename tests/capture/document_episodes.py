"""Episodes of documents: chance rewrites them as agents do, and kills the watcher.

What must hold at any time: what stood in a whole document when a scan looked at it is stored as it
was said last, nothing is stored that was never written, nothing is stored twice, and the kept log
of a document, taken message by message, is what stands in it.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from capture.gemini_lines import Json, document, header, prompt, reply, session_file, tool
from capture.inprocess import GEMINI, InProcess
from steno.capture.compression import decompress
from steno.capture.discovery import scan
from steno.errors import Unreachable
from steno_schema.ids import uuid8
from steno_schema.requests import Append

STEPS = 40
FILES = 3


class Broken(AssertionError):
    """What must hold does not."""


class DocumentEpisode:
    """One seeded run in a folder of its own; ``counts`` tells what happened in it."""

    def __init__(self, seed: int, root: Path) -> None:
        self._chance = random.Random(seed)
        self._root = root
        self._seed = seed
        self._made = 0
        self._documents: dict[Path, tuple[str, list[Json]]] = {}
        """What each file holds, or will when it is whole: its session and its messages."""
        self._torn: set[Path] = set()
        self._faults: list[str] = []
        self._written: dict[str, list[str]] = {}
        """Everything a message ever said, by its id, in order."""
        self._seen: dict[str, str] = {}
        """What a message said when a scan last looked, by its id."""
        self.counts = Counter[str]()
        self.store = InProcess(Path(":memory:"))
        self.store.fault = self._fault

    def run(self) -> None:
        """Let things happen, then look at everything twice, and check."""
        steps: list[Callable[[], None]] = [
            *(self._grow, self._grow, self._change, self._change, self._rewind, self._bring_back),
            *(self._tear, self._repeat, self._replace, self._move, self._link, self._delete),
            *(self._scan, self._scan, self._hint, self._kill),
        ]
        for _ in range(STEPS):
            step = self._chance.choice(steps)
            step()
            self.counts[step.__name__.strip("_")] += 1
        self._faults.clear()
        for path in sorted(self._torn):
            self._write(path)
        self._scan()
        self._scan()
        self._check()

    # ----- what is written

    def _file(self) -> Path:
        """Return one of the files, or one that is not there yet."""
        found = sorted(self._documents)
        if len(found) >= FILES or (found and self._chance.random() < 0.7):
            return self._chance.choice(found)
        path = self._new_path()
        self._documents[path] = (self._new_session(), [])
        return path

    def _new_path(self) -> Path:
        self._made += 1
        return session_file(self._root, f"session-{self._made}.json")

    def _new_session(self) -> str:
        self._made += 1
        return uuid8("episode", f"{self._seed} {self._made}")

    def _write(self, path: Path) -> None:
        """Write a file anew, in place or by putting another one in its place."""
        session, messages = self._documents[path]
        data = document(header(sessionId=session), *messages)
        for each in messages:
            said = self._written.setdefault(each["id"], [])
            said += [_said(each)] if _said(each) not in said else []
        self._torn.discard(path)
        if self._chance.random() < 0.5:
            path.write_bytes(data)
        else:
            other = path.with_suffix(".tmp")
            other.write_bytes(data)
            other.replace(path)

    def _grow(self) -> None:
        path = self._file()
        session, messages = self._documents[path]
        for _ in range(self._chance.randrange(1, 3)):
            self._made += 1
            words = f"w{self._made:06}"
            asked, said = (
                prompt(f"Ask {words}", self._made),
                reply(f"Say {words}", self._made + 0.5),
            )
            messages.append(asked | {"id": f"{session} {asked['id']}"})
            messages.append(said | {"id": f"{session} {said['id']}"})
        self._write(path)

    def _change(self) -> None:
        """Change a message: a tool's result comes, or is another one of the same length."""
        path = self._file()
        replies = [each for each in self._documents[path][1] if each["type"] == "gemini"]
        if replies:
            chosen = self._chance.choice(replies[-3:])
            self._made += 1
            chosen["toolCalls"] = [tool(f"call {chosen['id']}", f"r{self._made:06}")]
            self._write(path)

    def _rewind(self) -> None:
        """Take messages out of a document, as a rewind does."""
        path = self._file()
        messages = self._documents[path][1]
        if messages:
            del messages[self._chance.randrange(len(messages)) :]
            self._write(path)

    def _bring_back(self) -> None:
        """Take the last message out, have that looked at, and write it again as it was."""
        path = self._file()
        messages = self._documents[path][1]
        if messages:
            last = messages.pop()
            self._write(path)
            self._live(lambda: self.store.read(path, GEMINI))
            messages.append(last)
            self._write(path)

    def _tear(self) -> None:
        path = self._file()
        self._write(path)
        data = path.read_bytes()
        path.write_bytes(data[: self._chance.randrange(len(data) - 1)])
        self._torn.add(path)

    def _repeat(self) -> None:
        """Write identical bytes: nothing may come of it."""
        path = self._file()
        if path.exists():
            path.write_bytes(path.read_bytes())

    def _replace(self) -> None:
        """Put another session into the file."""
        path = self._file()
        self._documents[path] = (self._new_session(), [])
        self._write(path)

    # ----- where it is

    def _move(self) -> None:
        path = self._file()
        if path.exists():
            target = self._new_path()
            path.rename(target)
            self._moved(path, target)
            del self._documents[path]
            self._torn.discard(path)

    def _link(self) -> None:
        """Give a file a second name, have that looked at, and take the first name away."""
        path = self._file()
        if path.exists():
            target = self._new_path()
            target.hardlink_to(path)
            self._moved(path, target)
            self._live(lambda: self.store.read(target, GEMINI))
            path.unlink()
            del self._documents[path]
            self._torn.discard(path)

    def _moved(self, path: Path, target: Path) -> None:
        session, messages = self._documents[path]
        self._documents[target] = (session, messages)
        if path in self._torn:
            self._torn.add(target)

    def _delete(self) -> None:
        path = self._file()
        path.unlink(missing_ok=True)
        self._documents.pop(path, None)
        self._torn.discard(path)

    # ----- the watcher

    def _scan(self) -> None:
        standing = self._standing()
        if self._live(lambda: self.store.rescan(self._root, GEMINI)):
            self._seen |= {each["id"]: _said(each) for each in standing}

    def _standing(self) -> list[Json]:
        """Return the messages of every document that is there and whole."""
        paths = [found.path for found in scan([(GEMINI, self._root)])]
        return [
            each for path in paths if path not in self._torn for each in self._documents[path][1]
        ]

    def _hint(self) -> None:
        path = self._file()
        self._live(lambda: self.store.read(path, GEMINI))

    def _kill(self) -> None:
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
        stored = self._stored()
        for key, text in stored.items():
            _require(text in self._written.get(key, ()), f"made up: {key} {text!r}")
        for key, text in self._seen.items():
            _require(key in stored, f"lost: {text!r}")
            said = self._written[key]
            is_old = said.index(stored[key]) < said.index(text)
            _require(not is_old, f"{key}: {stored[key]!r} is older than {text!r}")
        logs = Counter[tuple[str, str]]()
        for source, path, state in self.store.rows("SELECT id, path, state FROM source"):
            kept = self._kept(source)
            if state == "live":
                self._check_kept(kept, Path(path))
            logs.update({(path, line["$set"]["sessionId"]) for line in kept if "$set" in line})
        again = [path for (path, _), count in logs.items() if count > 1]
        _require(not again, f"begun again: {again}")

    def _stored(self) -> dict[str, str]:
        """Return what each message says in the store, by its text's first words."""
        texts = self.store.rows(
            "SELECT content FROM message WHERE kind = 'text' ORDER BY position"
        )
        results = dict(
            self.store.rows("SELECT call_id, content FROM message WHERE kind = 'tool_result'")
        )
        _require(len(texts) == len(set(texts)), "a message is there twice")
        by_words = {each[0]: each[0] for each in texts}
        known = {key: text for key, said in self._written.items() for text in said}
        return {
            key: by_words[text.partition("|")[0]]
            + (f"|{results[f'call {key}']}" if f"call {key}" in results else "")
            for key, text in known.items()
            if text.partition("|")[0] in by_words
        }

    def _kept(self, source: int) -> list[Json]:
        reached, kept = 0, b""
        for start, end, codec, data, size in self.store.rows(
            "SELECT start_offset, end_offset, codec, data, kept_size FROM source_chunk"
            " WHERE source_id = ? ORDER BY id",
            (source,),
        ):
            _require(start == reached, f"kept from {start}, not {reached}")
            reached, kept = end, kept + decompress(data, codec)[:size]
        return [json.loads(line) for line in kept.splitlines()]

    def _check_kept(self, kept: list[Json], path: Path) -> None:
        """Check that a log, message by message, is what stands in the document."""
        session, messages = self._documents[path]
        by_id: dict[str, Json] = {}
        for line in kept:
            if "$set" in line:
                _require(line["$set"]["sessionId"] == session, f"{path}: another session's log")
            for key in line.get("$gone", ()):
                _require(by_id.pop(key, None) is not None, f"{path}: {key} was not there")
            if "type" in line:
                by_id[line["id"]] = line
        _require(by_id == {each["id"]: each for each in messages}, f"{path}: the log differs")


def _said(message: Json) -> str:
    """Return what a message says: its text, and what its tool answered."""
    content = message["content"]
    text: str = content if isinstance(content, str) else content[0]["text"]
    calls = message.get("toolCalls") or [None]
    if calls[0] is None:
        return text
    return f"{text}|{calls[0]['result'][0]['functionResponse']['response']['output']}"


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)
