"""What a fork repeats belongs to the session that wrote it first, whichever file is read first."""

from collections.abc import Callable, Iterable
from itertools import permutations
from pathlib import Path

import pytest

from capture.build import append, claude_prompt, claude_reply
from capture.content import Content
from capture.inprocess import InProcess
from steno_schema.requests import Delete

SMALL = "0a551011-0000-4000-8000-0000000000aa"
MIDDLE = "5a551011-0000-4000-8000-0000000000bb"
LARGE = "fb551011-0000-4000-8000-0000000000cc"
Lines = list[bytes]


def _prompt(text: str, session: str, second: int) -> bytes:
    return claude_prompt(text, second=second, sessionId=session)


def _reply(text: str, session: str, second: int, origin: str | None) -> bytes:
    marks = {"requestSessionId": origin} if origin else {}
    return claude_reply(text, second=second, sessionId=session, **marks)


def _begun(session: str, origin: str | None) -> Lines:
    """Two turns, a command that asks the model nothing, and a prompt without an answer."""
    output = "<local-command-stdout>set</local-command-stdout>"
    return [
        _prompt("<command-name>/model</command-name>", session, 0),
        _prompt(output, session, 0),
        _prompt("one", session, 1),
        _reply("first", session, 2, origin),
        _prompt("two", session, 3),
        _reply("second", session, 4, origin),
        _prompt("three", session, 5),
    ]


def _family(parent: str, fork: str, second_fork: str) -> dict[str, Lines]:
    """A session, a fork of it made in the terminal, and a fork of that one."""
    of_fork = [_prompt("fork own", fork, 20), _reply("fork reply", fork, 21, None)]
    copied = [_prompt("fork own", second_fork, 20), _reply("fork reply", second_fork, 21, fork)]
    return {
        parent: [
            *_begun(parent, None),
            _prompt("parent own", parent, 10),
            _reply("parent reply", parent, 11, None),
        ],
        fork: [*_begun(fork, parent), *of_fork],
        second_fork: [
            *_begun(second_fork, parent),
            *copied,
            _prompt("last", second_fork, 30),
            _reply("last reply", second_fork, 31, None),
        ],
    }


def _whole(store: InProcess, root: Path, files: dict[str, Lines], order: Iterable[str]) -> None:
    for session in order:
        path = root / f"{session}.jsonl"
        append(path, b"".join(files[session]))
        store.read(path)


def _line_by_line(
    store: InProcess, root: Path, files: dict[str, Lines], order: Iterable[str]
) -> None:
    for number in range(max(map(len, files.values()))):
        for session in order:
            for line in files[session][number : number + 1]:
                append(root / f"{session}.jsonl", line)
                store.read(root / f"{session}.jsonl")


def _owners(store: InProcess, names: dict[str, str]) -> dict[str, str]:
    rows = store.rows(
        "SELECT m.content, s.key FROM message AS m"
        " JOIN conversation AS c ON c.id = m.conversation_id"
        " JOIN session AS s ON s.id = c.session_id"
    )
    return {content: names[key] for content, key in rows}


@pytest.mark.parametrize("read", [_whole, _line_by_line])
@pytest.mark.parametrize("keys", list(permutations((SMALL, MIDDLE, LARGE))))
def test_copies_belong_to_the_session_that_wrote_them_first(
    keys: tuple[str, str, str],
    read: Callable[[InProcess, Path, dict[str, Lines], Iterable[str]], None],
    tmp_path: Path,
) -> None:
    files = _family(*keys)
    names = dict(zip(keys, ("parent", "fork", "second"), strict=True))
    seen: list[Content] = []
    for number, order in enumerate(permutations(keys)):
        root = tmp_path / str(number) / "projects" / "shop"
        with InProcess(tmp_path / f"{number}.db") as store:
            read(store, root, files, order)
            assert _owners(store, names) == {
                "/model": "parent",
                "<local-command-stdout>set</local-command-stdout>": "parent",
                **dict.fromkeys(("one", "first", "two", "second", "three"), "parent"),
                **dict.fromkeys(("parent own", "parent reply"), "parent"),
                **dict.fromkeys(("fork own", "fork reply"), "fork"),
                **dict.fromkeys(("last", "last reply"), "second"),
            }
            assert store.rows("SELECT count(*) FROM exchange WHERE copied") == [(0,)]
            seen.append(store.content())
    assert all(content == seen[0] for content in seen)


def test_what_two_forks_share_is_settled_when_the_first_session_is_gone(tmp_path: Path) -> None:
    """Its file was deleted before anything was read: the elder fork speaks for it."""
    files = _family(LARGE, MIDDLE, SMALL)
    del files[LARGE]
    seen: list[Content] = []
    for number, order in enumerate(permutations(files)):
        root = tmp_path / str(number) / "projects" / "shop"
        with InProcess(tmp_path / f"{number}.db") as store:
            _line_by_line(store, root, files, order)
            assert _owners(store, {MIDDLE: "fork", SMALL: "second"})["one"] == "fork"
            seen.append(store.content())
    assert seen[0] == seen[1]


def test_files_that_name_each_other_in_a_ring_are_read_all_the_same(tmp_path: Path) -> None:
    ring = {SMALL: LARGE, LARGE: SMALL}
    files = {session: _begun(session, origin) for session, origin in ring.items()}
    seen: list[Content] = []
    for number, order in enumerate(permutations(files)):
        with InProcess(tmp_path / f"{number}.db") as store:
            _whole(store, tmp_path / str(number) / "projects" / "shop", files, order)
            seen.append(store.content())
    assert seen[0] == seen[1]


def test_a_forgotten_prompt_leaves_no_sighting_behind(tmp_path: Path) -> None:
    files = _family(SMALL, MIDDLE, LARGE)
    with InProcess(tmp_path / "steno.db") as store:
        _whole(store, tmp_path / "projects" / "shop", files, files)
        ((rivals,),) = store.rows("SELECT count(*) FROM message_rival")
        assert rivals > 0
        store.request(Delete(target=SMALL, type="session"))
        left = store.rows(
            "SELECT count(*) FROM message_rival AS r JOIN tombstone AS t ON t.uid = r.uid"
        )
        assert left == [(0,)]
        assert "one" not in _owners(store, {MIDDLE: "fork", LARGE: "second"})


def test_an_unmarked_line_says_nothing_of_a_fork(tmp_path: Path) -> None:
    """Versions that mark no copies: the smaller key owns, in any order."""
    files = {session: _begun(session, None) for session in (LARGE, SMALL)}
    for number, order in enumerate(permutations(files)):
        with InProcess(tmp_path / f"{number}.db") as store:
            _line_by_line(store, tmp_path / str(number) / "projects" / "shop", files, order)
            owners = _owners(store, {SMALL: "smaller", LARGE: "larger"})
            assert set(owners.values()) == {"smaller"}
