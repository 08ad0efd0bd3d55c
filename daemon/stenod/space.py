"""Room on the disk: records are refused before it is full, so that what deletes still can."""

import os
from pathlib import Path

from steno_schema.errors import ErrorCode, RequestError
from steno_schema.limits import FREE_SPACE_FLOOR_BYTES


def check_space(folder: Path) -> None:
    """Refuse what would store something when hardly any room is left."""
    free = os.statvfs(folder)
    if free.f_bavail * free.f_frsize < FREE_SPACE_FLOOR_BYTES:
        raise RequestError(
            ErrorCode.DISK_FULL, "The disk is nearly full.", "Free some space; nothing is lost."
        )
