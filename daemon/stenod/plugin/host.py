"""The plug-in's process: ``python -m stenod.plugin.host NAME FOLDER`` answers line by line.

It ends when the daemon closes the line, also in the middle of a call. What the function prints
goes nowhere: it could be a prompt.
"""

import importlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from functools import reduce
from typing import Any, BinaryIO, cast

import msgspec

from stenod.plugin.talk import Answer, Question
from stenod.traces import place_of

TEXT_MAX_CHARS = 100_000
NICENESS = 5
"""Somebody's work goes on beside it."""

Function = Callable[[str, str, dict[str, Any]], object]


def main(name: str, folder: str) -> int:
    questions, answers = _own_lines()
    os.nice(NICENESS)
    sys.path.insert(0, folder)
    try:
        function = _function(name)
    except BaseException as error:
        _say(answers, Answer(error=f"it cannot be loaded: {place_of(error)}"))
        return 1
    _say(answers, Answer(is_ready=True))
    asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(questions, asked), daemon=True).start()
    decoder = msgspec.json.Decoder(Question)
    while True:
        _say(answers, _answer(function, decoder.decode(asked.get())))


def _own_lines() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to the daemon for ourselves; the function finds nothing there."""
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    return questions, answers


def _function(name: str) -> Function:
    module, _, path = name.partition(":")
    found: Any = reduce(getattr, path.split("."), importlib.import_module(module))
    if not callable(found):
        raise TypeError(name)
    return cast("Function", found)


def _listen(questions: BinaryIO, asked: "queue.SimpleQueue[bytes]") -> None:
    for line in questions:
        asked.put(line)
    os._exit(0)


def _answer(function: Function, question: Question) -> Answer:
    try:
        verdict = function(question.prompt, question.output, question.guess)
        return msgspec.convert({"verdict": msgspec.to_builtins(verdict)}, Answer)
    except (Exception, SystemExit) as error:
        return Answer(error=place_of(error))


def _say(answers: BinaryIO, answer: Answer) -> None:
    answers.write(msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
