"""One record of every type with every field filled in, and what its view shows of it."""

from typing import Any

from steno_schema import records
from steno_schema.ids import uuid8
from steno_schema.records import AnyRecord, Tokens

AT = "2026-03-04T05:06:07.089Z"
LATER = "2026-03-04T06:06:07.089Z"


def sample_id(name: str) -> str:
    """Return the id of a sample; the same one always."""
    return uuid8("sample", name)


SESSION = records.Session(
    id=sample_id("session"), key="morning", user="ada", project="/srv/engine", agent="python",
    title="Morning", status="completed", created_at=AT, started_at=AT, ended_at=LATER,
    last_active_at=LATER, metadata={"mood": "good"},
)  # fmt: skip
CONVERSATION = records.Conversation(
    id=sample_id("conversation"), key="cogs", session="morning", user="ada", title="Cogs",
    summary="Of cogs.", created_at=AT, started_at=AT, ended_at=LATER, metadata={"a": 1},
)  # fmt: skip
EXCHANGE = records.Exchange(
    id=sample_id("exchange"), prompt="How many cogs?", output="Forty.", created_at=AT,
    session="morning", conversation="cogs", user="ada", project="/srv/engine", agent="python",
    framework="loom", template="ask", model="m-1",
    tokens=Tokens(input=10, output=20, cache_read=30, cache_write=40, cache_write_5m=15,
                  cache_write_1h=25, reasoning=5),
    cost_usd=0.25, status="completed", response_time_ms=1500.0, tags=["work", "cogs"],
    metadata={"k": [1, {"deep": None}]}, category="backend", complexity="simple",
    technique="zero_shot", stage="testing", phase="two", current_file="cogs.py",
    keywords=["cog", "count"], response_summary="Forty of them.", rating=8.5, follow_up=True,
    notes="check again", files_created=["a.py"], files_modified=["b.py"],
    commands_executed=["make"],
)  # fmt: skip
MESSAGE = records.Message(
    id=sample_id("message"), conversation="cogs", session="morning", role="tool",
    content="forty", kind="tool_result", created_at=AT, position=7, model="m-1", token_count=3,
    processing_time_s=0.5, importance=0.75, tool_name="count", call_id="call-1", is_error=True,
    metadata={"m": True},
)  # fmt: skip
USAGE = records.Usage(
    id=sample_id("usage"), tokens=Tokens(input=1, output=2), session="morning",
    conversation="cogs", agent="python", model="m-1", cost_usd=0.5, recorded_at=AT,
    request_id="r-1",
)  # fmt: skip
INTERACTION = records.AgentInteraction(
    id=sample_id("interaction"), conversation="cogs", agent_type="counter",
    task_description="count", result_summary="counted", input_tokens=3, output_tokens=4,
    cost_usd=0.125, started_at=AT, completed_at=LATER, status="completed",
)  # fmt: skip
ROUTING = records.RoutingDecision(
    id=sample_id("routing"), conversation="cogs", intent="count", complexity="simple",
    confidence=0.5, selected_workflow="direct", routing_method="rules", reasoning="short",
    decided_at=AT,
)  # fmt: skip
PREFERENCE = records.Preference(
    id=sample_id("preference"), user="ada", key="tone", value="dry", updated_at=AT
)
PATTERN = records.Pattern(
    id=sample_id("pattern"), pattern_type="habit", pattern_key="counts", pattern_value="twice",
    occurrences=2, confidence=0.5, seen_at=AT,
)  # fmt: skip
HANDOFF = records.Handoff(
    id=sample_id("handoff"), from_session="morning", to_session="noon", summary="so far",
    open_tasks=["oil"], context={"c": 1}, created_at=AT,
)  # fmt: skip
METRIC = records.Metric(
    id=sample_id("metric"), metric="size", value=1.5, unit="MB", labels={"l": "x"}, recorded_at=AT
)
TASK = records.Task(
    id=sample_id("task"), key="T-1", session="morning", specialist="oiler", task_type="care",
    complexity="simple", started_at=AT, completed_at=LATER, duration_hours=1.0,
    estimation_hours=2.0, created_at=AT,
)  # fmt: skip
COMMAND = records.Command(
    id=sample_id("command"), command="/count", session="morning", model="m-1",
    thinking_budget=1024, duration_ms=12.5, success=True, executed_at=AT, created_at=AT,
)  # fmt: skip
ERROR = records.ErrorEvent(
    id=sample_id("error"), message="it jams", severity=8, command="/count", context="cogs",
    session="morning", occurred_at=AT, created_at=AT,
)  # fmt: skip
WORKFLOW = records.Workflow(
    id=sample_id("workflow"), current_task="T-1", current_command="/count", session="morning",
    data={"step": 2}, updated_at=AT,
)  # fmt: skip
METADATA = records.MetadataEntry(id=sample_id("metadata"), key="version", value="7", updated_at=AT)
PATTERN_USAGE = records.PatternUsage(
    id=sample_id("pattern_usage"), pattern_name="counting", task="T-1", session="morning",
    time_saved_hours=1.5, confidence=0.5, source="manual", created_at=AT,
)  # fmt: skip
TURN_PROMPT = records.Message(
    id=sample_id("turn prompt"), conversation="cogs", role="user", content="And now?",
    created_at=AT, position=256,
)  # fmt: skip
TURN = records.Turn(
    id=sample_id("turn"), conversation="cogs", prompt_message=TURN_PROMPT.id, origin="queued",
    created_at=AT, agent="codex", project="/srv/engine", status="aborted",
)  # fmt: skip

SAMPLES: list[AnyRecord] = [
    SESSION, CONVERSATION, EXCHANGE, MESSAGE, USAGE, INTERACTION, ROUTING, PREFERENCE, PATTERN,
    HANDOFF, METRIC, TASK, COMMAND, ERROR, WORKFLOW, METADATA, PATTERN_USAGE, TURN_PROMPT, TURN,
]  # fmt: skip

SHOWN: list[tuple[str, AnyRecord, dict[str, Any]]] = [
    ("sessions", SESSION, {
        "session_id": "morning", "user_id": "ada", "project_id": "/srv/engine",
        "created_at": AT, "started_at": AT, "ended_at": LATER, "last_active_at": LATER,
        "status": "completed", "duration_hours": 1.0, "tasks_completed": 1, "commands_run": 1,
        "metadata_json": '{"mood":"good"}'}),
    ("conversations", CONVERSATION, {
        "session_id": "morning", "conversation_id": "cogs", "title": "Cogs", "started_at": AT,
        "ended_at": LATER, "message_count": 4, "summary": "Of cogs.",
        "metadata_json": '{"a":1}'}),
    ("conversation_threads", CONVERSATION, {
        "user_id": "ada", "thread_id": "cogs", "title": "Cogs", "created_at": AT,
        "message_count": 4, "metadata": '{"a":1}'}),
    ("history", EXCHANGE, {
        "prompt": "How many cogs?", "output": "Forty.", "timestamp": AT,
        "framework_used": "loom", "template_used": "ask", "model": "m-1", "tokens": 100,
        "cost": 0.25, "tags": "cogs,work", "metadata": '{"k":[1,{"deep":null}]}',
        "notes": "check again"}),
    ("prompts", EXCHANGE, {
        "prompt_text": "How many cogs?", "session_id": "morning", "prompt_date": AT,
        "prompt_category": "backend", "current_file": "cogs.py", "project_phase": "two",
        "response_summary": "Forty of them.", "prompt_complexity": "simple",
        "success_rating": 8.5, "follow_up_needed": 1, "prompt_technique": "zero_shot",
        "development_stage": "testing", "response_time_estimate": 1500.0,
        "tokens_used_estimate": 100, "keywords": '["cog","count"]', "tags": "cogs,work",
        "files_created": '["a.py"]', "files_modified": '["b.py"]',
        "commands_executed": '["make"]', "created_at": AT}),
    ("messages", MESSAGE, {
        "conversation_id": "cogs", "role": "tool", "content": "forty", "token_count": 3,
        "created_at": AT, "importance_score": 0.75, "is_summarized": 0,
        "original_content": None}),
    ("conversation_messages", MESSAGE, {
        "thread_id": "cogs", "role": "tool", "content": "forty", "created_at": AT,
        "metadata": '{"m":true}', "model_used": "m-1", "processing_time": 0.5,
        "token_count": 3}),
    ("cost_tracking", USAGE, {
        "session_id": "morning", "model": "m-1", "input_tokens": 1, "output_tokens": 2,
        "cost_usd": 0.5, "recorded_at": AT}),
    ("agent_interactions", INTERACTION, {
        "conversation_id": "cogs", "agent_type": "counter", "task_description": "count",
        "result_summary": "counted", "input_tokens": 3, "output_tokens": 4, "cost_usd": 0.125,
        "started_at": AT, "completed_at": LATER, "status": "completed"}),
    ("routing_decisions", ROUTING, {
        "conversation_id": "cogs", "intent": "count", "complexity": "simple",
        "confidence": 0.5, "selected_workflow": "direct", "routing_method": "rules",
        "decided_at": AT, "reasoning": "short"}),
    ("user_preferences", PREFERENCE, {
        "user_id": "ada", "preference_key": "tone", "preference_value": "dry",
        "updated_at": AT}),
    ("learned_patterns", PATTERN, {
        "pattern_type": "habit", "pattern_key": "counts", "pattern_value": "twice",
        "occurrence_count": 2, "confidence_score": 0.5, "first_seen": AT, "last_seen": AT}),
    ("session_handoffs", HANDOFF, {
        "from_session_id": "morning", "to_session_id": "noon", "summary": "so far",
        "open_tasks": '["oil"]', "context_json": '{"c":1}', "created_at": AT}),
    ("memory_metrics", METRIC, {
        "metric": "size", "value": 1.5, "unit": "MB", "labels_json": '{"l":"x"}',
        "recorded_at": AT}),
    ("tasks", TASK, {
        "task_id": "T-1", "session_id": "morning", "specialist": "oiler", "type": "care",
        "complexity": "simple", "started_at": AT, "completed_at": LATER, "duration_hours": 1.0,
        "estimation_hours": 2.0, "created_at": AT}),
    ("commands", COMMAND, {
        "command": "/count", "executed_at": AT, "session_id": "morning", "model": "m-1",
        "thinking_budget": 1024, "duration_ms": 12.5, "success": 1, "created_at": AT}),
    ("errors", ERROR, {
        "command": "/count", "severity": 8, "message": "it jams", "context": "cogs",
        "timestamp": AT, "session_id": "morning", "created_at": AT}),
    ("workflow_state", WORKFLOW, {
        "id": 1, "current_task": "T-1", "current_command": "/count", "session_id": "morning",
        "data_json": '{"step":2}', "updated_at": AT}),
    ("metadata", METADATA, {"key": "version", "value": "7", "updated_at": AT}),
    ("pattern_usage", PATTERN_USAGE, {
        "pattern_name": "counting", "task_id": "T-1", "session_id": "morning",
        "time_saved_hours": 1.5, "confidence": 0.5, "source": "manual", "created_at": AT}),
    ("history", TURN, {
        "prompt": "And now?", "output": "", "timestamp": AT, "framework_used": "codex",
        "tokens": None}),
]  # fmt: skip
"""View, record, and the columns that follow from what the record says."""
