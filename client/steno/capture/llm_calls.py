"""What is new in one call of a model, of either generation of llm's tables, and what it used."""

from typing import Any, NamedTuple

import msgspec

from steno.capture.llm_wire import Call, Details, Line, Part, Tool
from steno.capture.threads import Text, count_of, key_of
from steno_schema.records import Tokens


class Exchanged(NamedTuple):
    """What is new in a call: instructions, results of tools, the prompt, and what came of it."""

    system: list[Text]
    results: list[Text]
    prompt: str
    after: list[Text]


def exchanged_in(line: Line, call: Call) -> Exchanged:
    """Return what is new in a call, of either generation."""
    model = key_of(call.resolved_model or call.model)
    return _in_turn(line, model) if line.table == "turns" else _in_response(line, call, model)


def _in_response(line: Line, call: Call, model: str | None) -> Exchanged:
    system = [Text("system", "injected", call.system)] if call.system else []
    results = [_result(each) for each in line.tool_results]
    prompt = call.prompt or ""
    if not prompt.strip() and not results:
        prompt = _placeholder(line.fragments, [each.type for each in line.attachments])
    after = [Text("assistant", "thinking", call.reasoning, model)] if call.reasoning else []
    if call.response:
        after.append(Text("assistant", "text", call.response, model))
    after += [_tool_call(each, model) for each in line.tool_calls]
    return Exchanged(system, results, prompt, after)


def _in_turn(line: Line, model: str | None) -> Exchanged:
    system = [
        Text("system", "injected", text)
        for message in line.system
        for text in [_joined(message.parts)]
        if text
    ]
    given = [part for message in line.input for part in message.parts]
    results = [_result(part.payload or Tool()) for part in given if part.type == "tool_result"]
    prompt = _joined(
        [part for message in line.input if message.role == "user" for part in message.parts]
    )
    if not prompt.strip() and not results:
        used = [
            piece.fragment
            for part in given
            for piece in (part.payload.text_ref if part.payload else [])
            if piece.fragment is not None
        ]
        attached = sum(part.type == "attachment" for part in given)
        prompt = _placeholder(used, [None] * attached)
    after = [
        text for message in line.output for part in message.parts for text in _answer(part, model)
    ]
    return Exchanged(system, results, prompt, after)


def _joined(parts: list[Part]) -> str:
    """Return the text that was typed: what it borrows from fragments is told by itself."""
    texts: list[str] = []
    for part in parts:
        if part.type == "text":
            pieces = part.payload.text_ref if part.payload else []
            texts.append(part.text or "".join(piece.literal for piece in pieces))
    return "\n".join(text for text in texts if text).strip("\n")


def _answer(part: Part, model: str | None) -> list[Text]:
    match part.type:
        case "text" if part.text:
            return [Text("assistant", "text", part.text, model)]
        case "reasoning" if part.text:
            return [Text("assistant", "thinking", part.text, model)]
        case "tool_call":
            return [_tool_call(part.payload or Tool(), model)]
        case "tool_result":
            return [_result(part.payload or Tool())]
        case _:
            return []


def _tool_call(tool: Tool, model: str | None) -> Text:
    name, call = key_of(tool.name), key_of(tool.tool_call_id)
    return Text("assistant", "tool_call", _as_text(tool.arguments), model, name, call)


def _result(tool: Tool) -> Text:
    is_error = bool(tool.exception)
    content = _as_text(tool.output) or tool.exception or ""
    name, call = key_of(tool.name), key_of(tool.tool_call_id)
    return Text("tool", "tool_result", content, None, name, call, is_error)


def _placeholder(fragments: list[int], attachments: list[str | None]) -> str:
    """Return what stands for a prompt without a text of its own."""
    named = [f"[fragment {number}]" for number in fragments]
    return " ".join([*named, *(f"[{kind or 'attachment'}]" for kind in attachments)])


def tokens_of(call: Call) -> Tokens:
    """Return a call's counts in disjoint buckets.

    What OpenAI and Gemini read from their caches is part of the input, what Anthropic reads or
    writes is not; reasoning is part of the output. A model that tells no counts leaves them open.
    """
    details = call.token_details or Details()
    included = count_of(
        details.prompt_tokens_details.cached_tokens
        or details.input_tokens_details.cached_tokens
        or details.cached_content
    )
    reasoning = count_of(
        details.completion_tokens_details.reasoning_tokens
        or details.output_tokens_details.reasoning_tokens
        or details.thoughts
    )
    given, output = count_of(call.input_tokens), count_of(call.output_tokens)
    included = min(included, given)
    return Tokens(
        input=given - included,
        output=output,
        cache_read=included + count_of(details.cache_read_input_tokens),
        cache_write=count_of(details.cache_creation_input_tokens),
        reasoning=min(reasoning, output),
        complete=call.input_tokens is not None and call.output_tokens is not None,
    )


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
