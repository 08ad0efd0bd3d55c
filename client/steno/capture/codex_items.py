"""Items of a response: messages, thoughts, tool calls and their outputs."""

from steno.capture.agent import Outcome
from steno.capture.codex_prompts import Prompts
from steno.capture.codex_records import Place, Records, Text
from steno.capture.codex_scripts import Scripts
from steno.capture.codex_wire import (
    ITEMS_WITHOUT_TEXT,
    TOOL_CALLS,
    TOOL_OUTPUTS,
    Item,
    content_kinds,
    is_set,
    output_of,
    text_of,
)


class Items:
    """Makes messages of items."""

    def __init__(self, records: Records, prompts: Prompts, scripts: Scripts) -> None:
        self._records = records
        self._prompts = prompts
        self._scripts = scripts
        self.kind = ""
        """Type of the item taken last, and which of its forms it had."""

    def take(self, item: Item, place: Place) -> Outcome:
        """Take one item; raise ``ValueError`` if a field of it is not what its type has."""
        self.kind = f"{item.type}/{item.role}" if item.type == "message" else item.type
        if item.type == "message" and item.role == "user":
            is_news = self._prompts.item(
                place, item.id, text_of(item.content), content_kinds(item)
            )
            return Outcome.RECORDS if is_news else Outcome.SKIPPED
        self._prompts.close()
        key = item.id or place.ref
        if item.type == "message":
            return self._message(item, place, key)
        if item.type == "reasoning":
            thought = text_of(item.summary) or text_of(item.content)
            if not thought and is_set(item.encrypted_content):
                self.kind += "/encrypted"
            return self._add(place, key, Text("assistant", "thinking", thought))
        if item.type == "agent_message":
            return self._add(place, key, Text("user", "injected", text_of(item.content)))
        if item.type in TOOL_CALLS:
            self._records.message(place, ("tool_call", item.call_id or key), _call(item))
            self._scripts.called(item, place)
            return Outcome.RECORDS
        if item.type in TOOL_OUTPUTS:
            result = self._scripts.answered(item, _result(item))
            self._records.message(place, ("tool_result", item.call_id or key), result)
            return Outcome.RECORDS
        return Outcome.SKIPPED if item.type in ITEMS_WITHOUT_TEXT else Outcome.NOT_UNDERSTOOD

    def _message(self, item: Item, place: Place, key: str) -> Outcome:
        match item.role:
            case "assistant":
                return self._add(place, key, Text("assistant", "text", text_of(item.content)))
            case "developer" | "system":
                return self._add(place, key, Text("system", "injected", text_of(item.content)))
            case _:
                return Outcome.NOT_UNDERSTOOD

    def _add(self, place: Place, key: str, text: Text) -> Outcome:
        if not text.content:
            return Outcome.SKIPPED
        self._records.message(place, ("message", key), text)
        return Outcome.RECORDS


def _call(item: Item) -> Text:
    fields = (item.arguments, item.input, item.action, item.revised_prompt)
    said = next((field for field in fields if is_set(field)), None)
    return Text(
        "assistant",
        "tool_call",
        text_of(said) if said is not None else "",
        tool_name=item.name or TOOL_CALLS[item.type],
        call_id=item.call_id or item.id,
    )


def _result(item: Item) -> Text:
    output = output_of(item.output if is_set(item.output) else item.tools)
    return Text(
        "tool",
        "tool_result",
        output.text,
        call_id=item.call_id or item.id,
        is_error=output.failed,
    )
