"""Any sequence of the client's verbs, through a real daemon, beside the model."""

import itertools
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from properties.checks import check_answers, check_views
from properties.model import Call, Kept, Model, Said, Seen, Work
from steno_schema.requests import Delete
from support.live import Live

_runs = itertools.count()

names = st.sampled_from(["a", "b", "c"])
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)
tags = st.sets(st.sampled_from(["red", "green", "blue"]), max_size=3)
quarters = st.none() | st.integers(0, 40).map(lambda n: n / 4)
"""Sums of quarters are exact in any order."""
shares = st.none() | st.sampled_from([0.0, 0.25, 1.0])
picks = st.integers(0, 1000)
"""Which of those there are: by number, modulo how many there are."""


class ClientMachine(RuleBasedStateMachine):
    """Each rule does the same to the client and to the model."""

    live: ClassVar[Live]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(f"run{next(_runs)}-")
        self.client: Any = self.live.client
        self.call = self.live.call

    @rule(session=names, prompt=texts, output=texts | st.just(""), tags=tags, cost=quarters,
          model=st.none() | names, tokens=st.integers(0, 99))  # fmt: skip
    def save(self, session: str, prompt: str, output: str, tags: set[str], cost: float | None,
             model: str | None, tokens: int) -> None:  # fmt: skip
        key = self.model.name(session)
        saved = self.call(
            self.client.history.save(prompt, output, session=key, tags=sorted(tags), model=model,
                                     cost_usd=cost, tokens={"input": tokens})
        )  # fmt: skip
        assert saved.outcome == "created"
        self.model.conversation_known(key, key)
        self.model.exchanges.append(
            Kept(saved.id, prompt, output, key, model, cost, tokens, set(tags))
        )

    def _picked(self, number: int) -> Kept | None:
        known = self.model.exchanges
        return known[number % len(known)] if known else None

    @rule(which=picks, rating=quarters.filter(lambda n: n is None or n <= 10),
          notes=st.none() | texts, add=tags, remove=tags)  # fmt: skip
    def update(self, which: int, rating: float | None, notes: str | None, add: set[str],
               remove: set[str]) -> None:  # fmt: skip
        kept = self._picked(which)
        if kept is not None:
            self.call(
                self.client.history.update(kept.id, rating=rating, notes=notes,
                                           add_tags=sorted(add), remove_tags=sorted(remove))
            )  # fmt: skip
            kept.rating, kept.notes = rating, notes
            kept.tags = (kept.tags | add) - remove

    @rule(which=picks)
    def delete(self, which: int) -> None:
        kept = self._picked(which)
        if kept is not None:
            assert self.call(self.client.history.delete(kept.id)) == 1
            self.model.exchanges.remove(kept)

    @rule(which=picks)
    def save_again(self, which: int) -> None:
        """The same id with other content is refused and changes nothing: see the checks."""
        kept = self._picked(which)
        if kept is not None:
            batch = self.client.batch()
            batch.history.save("other", session=kept.session, id=kept.id)
            try:
                self.call(self.live.ended(batch))
            except Exception as error:
                assert "exists with other content" in str(error)
            else:
                raise AssertionError("it was taken")

    @rule(key=names, title=texts)
    def create_session(self, key: str, title: str) -> None:
        key = self.model.name(key)
        if key not in self.model.sessions:
            self.call(self.client.sessions.create(key, title=title))
            self.model.session_known(key)
            self.model.sessions[key]["title"] = title

    @rule(key=names, status=st.sampled_from(["active", "paused", "archived"]))
    def update_session(self, key: str, status: str) -> None:
        key = self.model.name(key)
        if key in self.model.sessions:
            assert self.call(self.client.sessions.update(key, status=status)) == 1
            self.model.sessions[key]["status"] = status

    @rule(key=names)
    def end_session(self, key: str) -> None:
        key = self.model.name(key)
        if key in self.model.sessions:
            self.call(self.client.sessions.end(key))
            self.model.sessions[key] |= {"status": "completed", "ended": True}

    @rule(key=names)
    def forget_session(self, key: str) -> None:
        key = self.model.name(key)
        if key in self.model.sessions:
            self.call(self.client.request(Delete(type="session", target=key)))
            self.model.forget_session(key)

    @rule(key=names, session=names, title=texts)
    def create_conversation(self, key: str, session: str, title: str) -> None:
        key, session = self.model.name(f"talk-{key}"), self.model.name(session)
        if key not in self.model.conversations:
            self.call(self.client.conversations.create(key, session=session, title=title))
            self.model.conversation_known(key, session)
            self.model.conversations[key]["title"] = title

    @rule(key=names, summary=st.none() | texts)
    def summarise(self, key: str, summary: str | None) -> None:
        key = self.model.name(f"talk-{key}")
        if key in self.model.conversations:
            self.call(self.client.conversations.summarise(key, summary))
            self.model.conversations[key]["summary"] = summary

    @rule(key=names, role=st.sampled_from(["user", "assistant", "system", "tool"]), content=texts,
          importance=shares)  # fmt: skip
    def add_message(self, key: str, role: str, content: str, importance: float | None) -> None:
        key = self.model.name(f"talk-{key}")
        saved = self.call(self.client.messages.add(key, role, content, importance=importance))
        self.model.conversation_known(key, key)
        self.model.messages.append(Said(saved.id, key, role, content, importance))

    @rule(which=picks, importance=shares, summary=st.none() | texts)
    def change_message(self, which: int, importance: float | None, summary: str | None) -> None:
        if self.model.messages:
            said = self.model.messages[which % len(self.model.messages)]
            self.call(self.client.messages.set_importance(said.id, importance))
            self.call(self.client.messages.mark_summarised(said.id, summary))
            said.importance, said.is_summarized = importance, True
            if summary is not None:
                said.original = said.content if said.original is None else said.original
                said.content = summary

    @rule(user=names, key=names, value=texts)
    def set_preference(self, user: str, key: str, value: str) -> None:
        user = self.model.name(user)
        self.call(self.client.preferences.set(key, value, user=user))
        self.model.preferences[user, key] = value

    @rule(user=names, key=names)
    def delete_preference(self, user: str, key: str) -> None:
        user = self.model.name(user)
        known = self.model.preferences.pop((user, key), None)
        assert self.call(self.client.preferences.delete(key, user=user)) == (known is not None)

    @rule(key=names, value=st.none() | texts, times=st.integers(1, 3), confidence=shares)
    def observe(self, key: str, value: str | None, times: int, confidence: float | None) -> None:
        self.call(
            self.client.patterns.observe(
                self.model.prefix, key, value, occurrences=times, confidence=confidence
            )
        )
        seen = self.model.patterns.setdefault(key, Seen(0, None, None))
        seen.count += times
        seen.value = seen.value if value is None else value
        seen.confidence = seen.confidence if confidence is None else confidence

    @rule(key=names, specialist=names, estimate=quarters)
    def create_task(self, key: str, specialist: str, estimate: float | None) -> None:
        key, specialist = self.model.name(key), self.model.name(specialist)
        saved = self.call(
            self.client.tasks.create(key, specialist=specialist, estimation_hours=estimate)
        )
        self.model.tasks.append(Work(saved.id, key, specialist, estimate))

    @rule(key=names, hours=quarters.filter(lambda n: n is not None))
    def complete_task(self, key: str, hours: float) -> None:
        key = self.model.name(key)
        known = [task for task in self.model.tasks if task.key == key]
        if known:
            self.call(self.client.tasks.complete(key, duration_hours=hours))
            known[-1].hours = hours

    @rule(session=names, model=names, cost=quarters)
    def add_cost(self, session: str, model: str, cost: float | None) -> None:
        key = self.model.name(session)
        self.call(self.client.costs.add(model, session=key, cost_usd=cost))
        self.model.session_known(key)
        self.model.calls.append(Call(key, model, cost))

    @rule(key=names, value=st.none() | texts)
    def tell_fact(self, key: str, value: str | None) -> None:
        key = self.model.name(key)
        if value is None:
            known = self.model.facts.pop(key, None)
            assert self.call(self.client.metadata.delete(key)) == (known is not None)
        else:
            self.call(self.client.metadata.set(key, value))
            self.model.facts[key] = value

    @rule()
    def ask(self) -> None:
        check_answers(self.live, self.model)

    def teardown(self) -> None:
        check_answers(self.live, self.model)
        check_views(self.live, self.model)
