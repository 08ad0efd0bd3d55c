"""``client.workflow``: what is being worked on right now; there is one state, for everyone."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from steno.results import Saved
from steno.rows import select
from steno.verbs import Namespace, Runner, Steps, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Workflow as WorkflowRecord

_STATE = "SELECT * FROM workflow_state"


class WorkflowState(Struct, frozen=True, kw_only=True):
    """The row of ``workflow_state``."""

    id: str
    current_task: str | None
    current_command: str | None
    session_id: str | None
    data: dict[str, Any] | None
    updated_at: str


class Workflow(Namespace[Runner]):
    """Read the workflow state, or replace it."""

    @verb
    def get(self) -> Steps[WorkflowState | None]:
        """Return the state, ``None`` if it was never set.

        Raises ``Unreachable`` without a daemon.

        Example::

            state = client.workflow.get()
        """
        states = yield from select(_STATE, {}, WorkflowState)
        return states[0] if states else None

    @verb
    def set(
        self,
        *,
        current_task: str | None = None,
        current_command: str | None = None,
        session: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Steps[Saved]:
        """Replace the state as a whole: what is not given is empty then.

        The session defaults to the settings, then to this process's own. Raises ``Misuse`` for a
        value that breaks a rule; without a daemon it is spooled like any save.

        Example::

            client.workflow.set(current_task="release 1.2", data={"step": 3})
        """
        record = WorkflowRecord(
            id=uuid7(),
            current_task=current_task,
            current_command=current_command,
            session=session or self._context.session(),
            data=None if data is None else dict(data),
        )
        return (yield from store_one(record))
