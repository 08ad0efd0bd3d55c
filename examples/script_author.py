"""For who calls models from scripts: record a call, tag it, find it, see what it cost.

Run it with a daemon up (``steno up``): ``python examples/script_author.py``.
"""

import steno
from steno.tracking import flush


def ask_model(prompt: str) -> str:
    """Stand in for a model."""
    return f"Here is what I think about {prompt.lower()}"


# One line: prompt, answer and whatever else is known of the call.
history = steno.PromptHistory()
question = "How do I undo a commit that is pushed?"
record_id = history.save(
    question,
    ask_model(question),
    model="small-model",
    tokens={"input": 12, "output": 30},
    cost=0.0004,
    tags=["git"],
)
print("saved", record_id)


# Or none at all: each call of a decorated function is recorded, with its time and its errors.
@steno.track_prompt(model="small-model", tags=["git"], cost=0.0002)
def ask(prompt: str) -> str:
    """Ask the model; failures are recorded too."""
    return ask_model(prompt)


ask("What does a rebase do?")

# Tracking goes on beside the script; this waits until it is done, so that it can be found.
flush()
print("found", [result.prompt for result in history.search("rebase tag:git")])
print("cost", history.stats(tag="git").totals["cost_usd"])
