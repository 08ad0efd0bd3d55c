"""The verbs that write, and what each does in the store."""

from collections.abc import Callable
from typing import Any

from steno_schema.errors import bad_request
from steno_schema.replies import AnyReply, Done
from steno_schema.requests import Amend, Append, Delete, Import
from stenod.plugin.verdicts import Verdicts, store_verdicts
from stenod.store.amend import amend
from stenod.store.append import append
from stenod.store.context import Context
from stenod.store.forget import forget
from stenod.store.forget_user import forget_user
from stenod.store.remove import REMOVABLE, remove
from stenod.store.restore import restore


def _amend(context: Context, request: Amend) -> Done:
    return Done(changed=1, result=amend(context, request))


def _delete(context: Context, request: Delete) -> Done:
    if (request.target is None) == (request.filters is None):
        raise bad_request("Say what to forget.", "Give an id, or filters.")
    if request.type == "user":
        changed, result = forget_user(context, request)
        return Done(changed=changed, result=result)
    if request.type in REMOVABLE:
        changed, result = remove(context, request)
        return Done(changed=changed, result=result)
    changed, counts = forget(context, request)
    return Done(changed=changed, result=counts)


VERBS: dict[type, Callable[[Context, Any], AnyReply]] = {
    Append: append,
    Import: restore,
    Amend: _amend,
    Delete: _delete,
    Verdicts: store_verdicts,
}
