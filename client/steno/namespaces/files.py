"""``client.history.export`` and ``import_``: records into files, and back in."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Unpack

from steno.filters import FilterWords, filters_of
from steno.verbs import Namespace, Runner, Steps, verb

if TYPE_CHECKING:
    from steno.transfer.export import Sink
    from steno.transfer.formats import Format
    from steno.transfer.taking import Imported


class Files(Namespace[Runner]):
    """The verbs of ``history`` that read and write files; their machinery is loaded when used."""

    @verb
    def export(
        self,
        target: "str | os.PathLike[str] | Sink",
        format: "Format | None" = None,
        *,
        overwrite: bool = False,
        limit: int | None = None,
        tools: bool = False,
        progress: Callable[[int], object] | None = None,
        **words: Unpack[FilterWords],
    ) -> Steps[int]:
        """Write everything, or what the filters choose, to a file; return how many records.

        ``target`` is a path, or anything with a method ``write`` for text. ``format`` is ``json``,
        ``csv`` or ``md`` (exchanges, newest first), ``jsonl`` (every kind of record, read back
        without loss by ``import_``) or ``chat`` (a conversation a line, for training; ``tools``
        keeps tool calls); else the file's ending chooses. ``limit`` is the most exchanges (of
        ``chat``: lines). ``progress`` is called with the records so far.

        The file appears when it is whole. Raises ``Misuse`` if it exists, unless ``overwrite``, or
        cannot be written; ``Unreachable`` without a daemon.

        Example::

            client.history.export("auth.jsonl", tag="auth", since="30d", overwrite=True)
        """
        from steno.transfer.export import Plan, export_file, export_text, plan_format

        plan = Plan(plan_format(target, format), filters_of(words), limit, tools)
        if progress is not None:
            plan = plan._replace(progress=progress)
        if isinstance(target, str | os.PathLike):
            steps = export_file(Path(target), plan, self._context.paths, overwrite=overwrite)
            return (yield from steps)
        return (yield from export_text(target.write, plan))

    @verb
    def import_(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        *,
        progress: Callable[[int], object] | None = None,
    ) -> "Steps[Imported]":
        """Take in what ``export`` wrote as ``jsonl``, ``json`` or ``csv``; return what became of it.

        ``source`` is a path or an open binary file. What is there already is completed, never
        replaced, so the same file may be taken in again, also after an interruption. A line that
        cannot be read is left out, counted and told. ``progress`` is called with the lines so far.

        Raises ``Misuse`` if the file cannot be read at all, ``Unreachable`` without a daemon.

        Example::

            client.history.export("everything.jsonl", overwrite=True)
            done = client.history.import_("everything.jsonl")
            print(done.created, done.existed, done.left_out)
        """
        from steno.transfer.taking import import_file, import_path

        told = progress or _tell_nobody
        if isinstance(source, str | os.PathLike):
            return (yield from import_path(Path(source), told))
        return (yield from import_file("the file", source, told))


def _tell_nobody(_done: int) -> None:
    """Progress that nobody asked for."""
