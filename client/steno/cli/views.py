"""The views that SQL is written over: what each holds, and its columns."""

from steno_schema.replies import Table

QUERY = """
SELECT m.name, group_concat(p.name, ', ') FROM sqlite_master AS m, pragma_table_info(m.name) AS p
WHERE m.type = 'view' GROUP BY m.name ORDER BY m.name
"""
HOLDS = {
    "agent_interactions": "what agents were asked to do, and what came of it",
    "commands": "commands that were run: model, thinking budget, duration, success",
    "conversation_messages": "messages as a shared store of threads has them",
    "conversation_threads": "conversations as a shared store of threads has them",
    "conversations": "threads of messages, each in a session",
    "cost_tracking": "what was spent, a model call or an exchange at a time",
    "errors": "errors of somebody's work, severity from 0 to 10",
    "history": "exchanges: a prompt, its output, model, tokens, cost, tags",
    "learned_patterns": "patterns, how often they were seen, and how sure they are",
    "memory_metrics": "numbers worth watching, each with a unit and labels",
    "messages": "everything that was said, tool calls and results included",
    "metadata": "small facts about the whole instance, by key",
    "outcomes": "how exchanges ended: tool calls, errors, interruptions, files",
    "pattern_usage": "uses of patterns, and the hours they saved",
    "prompts": "exchanges with their analysis: category, complexity, stage, keywords",
    "routing_decisions": "which workflow a request was sent to, and why",
    "session_handoffs": "what one session leaves to the next",
    "sessions": "stretches of work, of an agent or a person",
    "sightings": "when a prompt was said again",
    "sources": "the agents' files, and how far each is read",
    "tasks": "pieces of work, estimated and actual hours",
    "user_preferences": "small settings of a person, by key",
    "workflow_state": "what is being worked on right now (one row)",
}


def described(table: Table) -> Table:
    """Return the answer to ``QUERY`` with a word on what each view holds."""
    rows = [[name, HOLDS.get(str(name), ""), columns] for name, columns in table.rows]
    return Table(columns=["view", "holds", "columns"], rows=rows, truncated=table.truncated)
