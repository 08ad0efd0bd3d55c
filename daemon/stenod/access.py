"""Who may do what: a role for each socket, and one place that enforces it.

The daemon's own socket is its user's alone and may do everything. Two more can be opened for a
group by configuration: one that only reads, one that only adds. Their folder is open to the group
alone (0750), they themselves are 0660; nobody else gets as far as to ask.
"""

import grp
import os
import socket
from enum import Enum
from pathlib import Path

from steno_schema.config import Access
from steno_schema.errors import ErrorCode, RequestError, bad_request
from steno_schema.requests import (
    AnyRequest,
    Append,
    Cancel,
    Export,
    Get,
    Hello,
    List,
    Ping,
    Search,
    Sql,
    Stage,
    Stats,
    Status,
    Subscribe,
)
from stenod.peers import is_owner
from stenod.sockets import bound


class Role(Enum):
    """What the peers of a socket may do."""

    ADMIN = "admin"
    READ = "read"
    APPEND = "append"


_ALLOWED: dict[Role, tuple[type, ...]] = {
    Role.READ: (Hello, Ping, Status, Get, List, Search, Stats, Sql, Export, Subscribe, Cancel),
    Role.APPEND: (Hello, Ping, Append, Stage, Cancel),
}


def check(role: Role, request: AnyRequest) -> None:
    """Refuse what a role may not do."""
    if role is Role.ADMIN:
        return
    if not isinstance(request, _ALLOWED[role]):
        raise RequestError(
            ErrorCode.UNAUTHORISED,
            f"This socket may {role.value} only.",
            "Ask whoever runs this daemon.",
        )
    if isinstance(request, Append) and (request.mode != "create" or request.source is not None):
        raise RequestError(
            ErrorCode.UNAUTHORISED, "This socket takes new records only.", "Set mode to create."
        )


def is_welcome(peer: socket.socket, role: Role) -> bool:
    """Tell whether a peer may use a socket: its folder decides for the group's."""
    return role is not Role.ADMIN or is_owner(peer)


def extra_sockets(settings: Access) -> list[tuple[socket.socket, Role]]:
    """Open the sockets for a group that are configured; none by default."""
    chosen = ((settings.read_socket, Role.READ), (settings.append_socket, Role.APPEND))
    wanted = [(Path(path).expanduser(), role) for path, role in chosen if path is not None]
    if not wanted:
        return []
    group = _group_id(settings.group)
    return [(_open(path, group), role) for path, role in wanted]


def _group_id(name: str | None) -> int:
    if name is None:
        raise bad_request("access.group is not set.", "Name the group that may use the socket.")
    try:
        return int(name) if name.isdigit() else grp.getgrnam(name).gr_gid
    except KeyError:
        raise bad_request(f"There is no group {name!r}.", "Set access.group.") from None


def _open(path: Path, group: int) -> socket.socket:
    if not path.is_absolute():
        raise bad_request(f"{path} is no absolute path.", "Name the socket in full.")
    folder = path.parent
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise RequestError(
            ErrorCode.UNAUTHORISED,
            f"{folder} belongs to somebody else.",
            "Give the socket a folder of its own.",
        )
    if any(each.name != path.name for each in folder.iterdir()):
        raise bad_request(
            f"{folder} holds other files, which the group would see.",
            "Give the socket a folder of its own.",
        )
    os.chown(folder, -1, group)
    folder.chmod(0o750)
    listener = bound(path)
    os.chown(path, -1, group)
    path.chmod(0o660)
    return listener
