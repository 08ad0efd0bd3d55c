"""The table of record commands, other half: what agents did and spent, facts of the instance."""

from steno.cli.recordkinds import (
    CONFIDENCE,
    METADATA,
    PERIOD,
    SESSION,
    TITLE,
    Action,
    Option,
    RecordKind,
)

_CONVERSATION = Option("conversation", "the conversation it belongs to; else this command's own")
_INTERACTION = (Option("interaction", "an id, the beginning of one, or its number", flag="ID"),)
_ENDS = (
    Option("result_summary", "what came of it", flag="summary"),
    Option("input_tokens", "token count", "count"),
    Option("output_tokens", "token count", "count"),
    Option("cost_usd", "what it cost, in US dollars", "amount", flag="cost"),
)

AGENTS: dict[str, RecordKind] = {
    "conversations": RecordKind(
        "conversation",
        "conversations",
        ("conversation_id", "title", "session_id", "message_count", "started_at", "summary"),
        ("session", "user", "since", "until"),
        {},
        {
            "add": Action(
                "create",
                "Begin a conversation, and print its id.",
                "steno conversations add pr-7 --title 'Login bug'",
                (Option("key", "what the conversation is called; else its id", flag="KEY"),),
                (
                    SESSION,
                    Option("user", "whose it is"),
                    TITLE,
                    Option("parent", "the key of the conversation it belongs to"),
                    METADATA,
                ),
                optional=1,
            ),
            "summarise": Action(
                "summarise",
                "Set a conversation's summary.",
                "steno conversations summarise pr-7 'The login bug is fixed and tested.'",
                (
                    Option("conversation", "its key, its id or its number", flag="CONVERSATION"),
                    Option("summary", "what it came to", flag="SUMMARY"),
                ),
            ),
            "end": Action(
                "end",
                "Mark a conversation ended, now.",
                "steno conversations end pr-7",
                (Option("conversation", "its key, its id or its number", flag="CONVERSATION"),),
            ),
        },
        "steno conversations --user ada --limit 5",
    ),
    "interactions": RecordKind(
        "agent_interaction",
        "agents",
        ("agent_type", "status", "task_description", "result_summary", "cost_usd", "started_at",
         "completed_at"),
        ("conversation", "user", "since", "until"),
        {"status": "status", "type": "agent_type"},
        {
            "add": Action(
                "start",
                "Record that an agent begins a task, and print the run's id.",
                "steno interactions add reviewer 'Review the diff' --conversation pr-7",
                (
                    Option("agent_type", "what kind of agent it is", flag="TYPE"),
                    Option("task_description", "what it is to do", flag="TASK"),
                ),
                (_CONVERSATION, Option("started_at", "when; now unless told")),
            ),
            "complete": Action(
                "complete",
                "Mark a run completed, now, with what it used.",
                "steno interactions complete 12 --summary '2 findings' --output-tokens 812",
                _INTERACTION,
                _ENDS,
            ),
            "fail": Action(
                "fail",
                "Mark a run failed, now; the summary may say why.",
                "steno interactions fail 12 --summary 'The tests do not start.'",
                _INTERACTION,
                _ENDS,
            ),
            "cancel": Action(
                "cancel",
                "Mark a run cancelled, now.",
                "steno interactions cancel 12",
                _INTERACTION,
                _ENDS[:1],
            ),
        },
        "steno interactions --status running",
    ),
    "routing": RecordKind(
        "routing_decision",
        "routing",
        ("intent", "selected_workflow", "routing_method", "complexity", "confidence",
         "decided_at"),
        ("conversation", "user", "since", "until"),
        {
            "intent": "intent",
            "workflow": "selected_workflow",
            "method": "routing_method",
            "complexity": "complexity",
        },
        {
            "add": Action(
                "log",
                "Record a routing decision, and print its id.",
                "steno routing add bug_fix --workflow debug --confidence 0.8",
                (Option("intent", "what the request wanted", flag="INTENT"),),
                (
                    _CONVERSATION,
                    Option("complexity", "how hard it is"),
                    CONFIDENCE,
                    Option("selected_workflow", "where it was sent", flag="workflow"),
                    Option("routing_method", "how that was decided", flag="method"),
                    Option("reasoning", "why"),
                    Option("decided_at", "when; now unless told"),
                ),
            ),
            "summary": Action(
                "summary",
                "How many decisions there are of each kind, and how sure they were.",
                "steno routing summary --by intent --since 30d",
                options=(
                    Option(
                        "by",
                        "selected_workflow unless told",
                        "choice",
                        choices=("selected_workflow", "routing_method", "intent", "complexity"),
                    ),
                    *PERIOD,
                ),
            ),
        },
        "steno routing --workflow debug --since 7d",
    ),
    "costs": RecordKind(
        "usage",
        "costs",
        ("session_id", "model", "input_tokens", "output_tokens", "cost_usd", "recorded_at"),
        ("session", "model", "since", "until"),
        {},
        {
            "add": Action(
                "add",
                "Record one model call, and print its id.",
                "steno costs add gpt-5 --input-tokens 1200 --output-tokens 300 --cost 0.0045",
                (Option("model", "the model that was called", flag="MODEL"),),
                (
                    Option("input_tokens", "token count, without what came from a cache", "count"),
                    Option("output_tokens", "token count", "count"),
                    Option("cost_usd", "what it cost, in US dollars", "amount", flag="cost"),
                    SESSION,
                    Option("conversation", "the conversation it belongs to"),
                    Option("exchange", "the id of the exchange it belongs to"),
                    Option("request_id", "the provider's name of the call"),
                    Option("recorded_at", "when; now unless told"),
                ),
                optional=1,
            ),
        },
        "steno costs --model gpt-5 --since 7d",
    ),
    "measurements": RecordKind(
        "metric",
        "metrics",
        ("metric", "value", "unit", "labels_json", "recorded_at"),
        ("since", "until"),
        {"metric": "metric", "unit": "unit"},
        {
            "add": Action(
                "record",
                "Record one value of a metric, and print its id.",
                "steno measurements add answer_time 812 --unit ms --label model=gpt-5",
                (
                    Option("metric", "what is measured", flag="METRIC"),
                    Option("value", "the number", "number", "VALUE"),
                ),
                (
                    Option("unit", "a word of your own, such as ms"),
                    Option("labels", "name=value", "labels", "label"),
                    Option("recorded_at", "when; now unless told"),
                ),
            ),
            "summary": Action(
                "summary",
                "Count, total, mean and extremes of each metric (or of one) in each unit.",
                "steno measurements summary answer_time --since 7d",
                (Option("metric", "only this one", flag="METRIC"),),
                PERIOD,
                optional=1,
            ),
        },
        "steno measurements --metric answer_time --since 7d",
    ),
    "workflow": RecordKind(
        "workflow",
        "workflow",
        ("current_task", "current_command", "session_id", "data_json", "updated_at"),
        (),
        {},
        {
            "set": Action(
                "set",
                "Replace the state as a whole: what is not given is empty then.",
                """steno workflow set --current-task 'release 1.2' --data '{"step": 3}'""",
                options=(
                    Option("current_task", "the task at hand"),
                    Option("current_command", "the command at hand"),
                    SESSION,
                    Option("data", "a JSON object with anything else", "json"),
                ),
            ),
            "get": Action("get", "The state in full.", "steno workflow get"),
        },
        "steno workflow",
        has_show=False,
    ),
    "metadata": RecordKind(
        "metadata_entry",
        "metadata",
        ("key", "value", "updated_at"),
        ("since", "until"),
        {},
        {
            "set": Action(
                "set",
                "Keep a value under a key; the value before is replaced.",
                "steno metadata set last_import 2026-01-31",
                (Option("key", "its key", flag="KEY"), Option("value", "its value", flag="VALUE")),
            ),
            "get": Action(
                "get",
                "Print the value under a key.",
                "steno metadata get last_import",
                (Option("key", "its key", flag="KEY"),),
            ),
            "delete": Action(
                "delete",
                "Forget the value under a key.",
                "steno metadata delete last_import",
                (Option("key", "its key", flag="KEY"),),
            ),
        },
        "steno metadata",
        has_show=False,
    ),
}  # fmt: skip
