"""For who writes agents: sessions, runs inside of runs, and the thread so far for the next prompt.

Run it with a daemon up (``steno up``): ``python examples/agent_author.py``.
"""

import steno
from steno.tracking import flush


def call_model(prompt: str) -> str:
    """Stand in for a model."""
    return f"Answer to: {prompt}"


client = steno.Client()
session = client.sessions.start(title="Fix the login page").key
thread = client.conversations.create(session=session).key
assert session is not None
assert thread is not None

# What was said so far becomes part of the next prompt.
for question in ("Why does the login fail?", "How would you mend it?"):
    said = client.conversations.messages(thread)
    context = "\n".join(f"{message.role}: {message.content}" for message in said)
    answer = call_model(f"{context}\nuser: {question}")
    client.conversations.add_exchange(thread, question, answer, model="large-model")
print("messages", len(client.conversations.messages(thread)))

# A run records its duration and, if it fails, its error; what it starts becomes its child.
with steno.track_execution("Mend the login page", session=session, model="large-model") as run:
    with steno.track_execution("Look for the cause", model="small-model") as step:
        step.output = call_model("Where are sessions checked?")
    run.output = "The cookie had the wrong path."

try:
    with steno.track_execution("Run the tests", session=session):
        raise RuntimeError("2 tests failed")
except RuntimeError as error:
    print("failed", error)

flush()
statuses = [exchange.status for exchange in client.history.recent(session=session)]
print("statuses", sorted(statuses))
client.sessions.end(session)
