"""``client.costs``: tokens and dollars of single model calls."""

from steno.filters import When, time_text
from steno.namespaces.history import TokensLike, tokens_of
from steno.results import Saved
from steno.verbs import Namespace, Runner, Steps, store_one, verb
from steno_schema.ids import uuid7
from steno_schema.records import Tokens, Usage


class Costs(Namespace[Runner]):
    """Record what model calls used."""

    @verb
    def add(
        self,
        model: str | None = None,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        tokens: TokensLike | None = None,
        cost_usd: float | None = None,
        session: str | None = None,
        conversation: str | None = None,
        exchange: str | None = None,
        request_id: str | None = None,
        recorded_at: When | None = None,
        agent: str = "python",
        id: str | None = None,
    ) -> Steps[Saved]:
        """Record one model call, by the two counts or by all buckets in ``tokens``.

        The session defaults to the settings, then to this process's own.
        """
        counts = Tokens(input=input_tokens, output=output_tokens)
        if session is None and conversation is None:
            session = self.context.session()
        usage = Usage(
            id=id or uuid7(),
            tokens=counts if tokens is None else tokens_of(tokens),
            session=session,
            conversation=conversation,
            exchange=exchange,
            agent=agent,
            model=model,
            cost_usd=cost_usd,
            recorded_at=None if recorded_at is None else time_text(recorded_at),
            request_id=request_id,
        )
        return (yield from store_one(usage))
