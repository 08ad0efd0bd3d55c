"""Exchanges into files: JSON and CSV, streaming, complete or not there at all."""

import contextlib
import os
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import IO, cast

import msgspec

from steno.errors import Misuse
from steno_schema.ids import uuid7
from steno_schema.replies import ExchangeView

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes text that begins so for a formula and runs it."""


def export_json(
    exchanges: Iterable[ExchangeView], path: str | os.PathLike[str], *, overwrite: bool
) -> int:
    """Write a JSON array of exchanges to ``path``; return how many.

    Raises ``Misuse`` if the file exists, unless ``overwrite``. The file appears when it is whole.
    """
    count = 0
    with new_file(path, overwrite=overwrite) as file:
        file.write("[")
        for exchange in exchanges:
            file.write("\n  " if count == 0 else ",\n  ")
            file.write(msgspec.json.encode(exchange).decode())
            count += 1
        file.write("\n]\n")
    return count


def export_csv(
    exchanges: Iterable[ExchangeView], path: str | os.PathLike[str], *, overwrite: bool
) -> int:
    """Write exchanges to ``path`` as CSV with a header; return how many.

    Tags are separated by commas, other compound values are JSON. Text that a spreadsheet would
    run as a formula begins with ``'``. Raises ``Misuse`` as ``export_json`` does.
    """
    import csv

    count = 0
    with new_file(path, overwrite=overwrite) as file:
        writer = csv.writer(file)
        writer.writerow(ExchangeView.__struct_fields__)
        for exchange in exchanges:
            writer.writerow(csv_row(exchange))
            count += 1
    return count


def csv_row(exchange: ExchangeView) -> list[object]:
    """Return an exchange as the cells of a row, in the order of its fields."""
    return [_cell(name, getattr(exchange, name)) for name in ExchangeView.__struct_fields__]


@contextlib.contextmanager
def new_file(path: str | os.PathLike[str], *, overwrite: bool) -> Generator[IO[str]]:
    """Open a file for this user alone that takes the name ``path`` once it is whole.

    An exception leaves what was there before. Raises ``Misuse`` if ``path`` cannot be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{uuid7()}.tmp")
    if not overwrite:
        _reserve(target)
    try:
        with os.fdopen(_create(temporary), "w", encoding="utf-8", newline="") as file:
            yield file
        temporary.replace(target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if not overwrite:
            target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Misuse(f"{target} cannot be written: {error.strerror}.") from None
        raise


def _reserve(target: Path) -> None:
    """Take the name, so that nobody else's file can be replaced later."""
    try:
        os.close(_create(target))
    except FileExistsError:
        hint = "Choose another name, or overwrite=True."
        raise Misuse(f"{target} is there already.", hint) from None
    except OSError as error:
        raise Misuse(f"{target} cannot be written: {error.strerror}.") from None


def _create(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)


def _cell(name: str, value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if value is msgspec.UNSET:
        return None
    if isinstance(value, str):
        text = value
    elif name == "tags" and isinstance(value, list):
        text = ",".join(cast("list[str]", value))
    else:
        text = msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
