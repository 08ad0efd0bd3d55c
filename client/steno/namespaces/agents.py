"""``client.agents``: what agents were asked to do in a conversation, and what came of it."""

from typing import Any

from msgspec import Struct

from steno.filters import When, now_text, time_text
from steno.results import Page, Saved
from steno.rows import amended, chosen
from steno.verbs import Namespace, Runner, Steps, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import AgentInteraction, RunStatus


class Interaction(Struct, frozen=True, kw_only=True):
    """A row of ``agent_interactions``: ``id`` is its UUID, ``number`` the view's integer."""

    id: str
    number: int
    conversation_id: str
    agent_type: str
    task_description: str
    result_summary: str | None
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    started_at: str
    completed_at: str | None
    status: RunStatus


class Agents(Namespace[Runner]):
    """Record agents' runs: start one, then complete, fail or cancel it."""

    @verb
    def start(
        self,
        agent_type: str,
        task_description: str,
        *,
        conversation: str | None = None,
        started_at: When | None = None,
        id: str | None = None,
    ) -> Steps[Saved]:
        """Record that an agent begins a task; the result's ``id`` names the run later on.

        Without a conversation (a key) it belongs to this process's own. Raises ``Misuse`` for a
        value that breaks a rule; without a daemon it is spooled like any save.

        Example::

            run = client.agents.start("reviewer", "Review the diff", conversation="pr-7")
        """
        record = AgentInteraction(
            id=id or uuid7(),
            conversation=conversation or self._context.session(),
            agent_type=agent_type,
            task_description=task_description,
            started_at=None if started_at is None else time_text(started_at),
        )
        return (yield from store_one(record))

    @verb
    def complete(
        self,
        interaction: str | int | Saved,
        *,
        result_summary: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cost_usd: float | None = None,
    ) -> Steps[int]:
        """Mark a run completed, now, with what it used: token counts, US dollars.

        What is not given stays as it was. Returns how many runs changed. Raises ``Refused`` if
        there is no such run or a value is out of range, ``Unreachable`` without a daemon.

        Example::

            client.agents.complete(run, result_summary="2 findings", output_tokens=812)
        """
        told = _told(result_summary, input_tokens, output_tokens, cost_usd)
        return (yield from _finish(interaction, "completed", told))

    @verb
    def fail(
        self,
        interaction: str | int | Saved,
        *,
        result_summary: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cost_usd: float | None = None,
    ) -> Steps[int]:
        """Mark a run failed, now; ``result_summary`` may say why. Otherwise like ``complete``.

        Tokens are counts, the cost is in US dollars. Raises what ``complete`` raises.

        Example::

            client.agents.fail(run, result_summary="The tests do not start.")
        """
        told = _told(result_summary, input_tokens, output_tokens, cost_usd)
        return (yield from _finish(interaction, "failed", told))

    @verb
    def cancel(
        self, interaction: str | int | Saved, *, result_summary: str | None = None
    ) -> Steps[int]:
        """Mark a run cancelled, now. Returns how many runs changed.

        Raises what ``complete`` raises.

        Example::

            client.agents.cancel(run)
        """
        told = _told(result_summary, None, None, None)
        return (yield from _finish(interaction, "cancelled", told))

    @verb
    def list(
        self,
        *,
        conversation: str | None = None,
        agent_type: str | None = None,
        status: RunStatus | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Steps[Page[Interaction]]:
        """Return runs in pages, newest first: of a conversation, of a type, of a status.

        Raises ``Unreachable`` without a daemon.

        Example::

            for run in client.agents.list(status="running"):
                print(run.agent_type, run.started_at)
        """
        wanted = {"conversation_id": conversation, "agent_type": agent_type, "status": status}
        return (yield from chosen("agent_interactions", wanted, Interaction, limit, cursor))


def _told(
    result_summary: str | None,
    input_tokens: int | None,
    output_tokens: int | None,
    cost_usd: float | None,
) -> dict[str, Any]:
    given = {
        "result_summary": result_summary,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cost_usd": cost_usd,
    }
    return {name: value for name, value in given.items() if value is not None}


def _finish(interaction: str | int | Saved, status: RunStatus, told: dict[str, Any]) -> Steps[int]:
    changes = {"status": status, "completed_at": now_text(), **told}
    target = interaction.id if isinstance(interaction, Saved) else interaction
    return (yield from amended("agent_interaction", target, changes))
