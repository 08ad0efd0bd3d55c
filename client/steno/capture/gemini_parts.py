"""Parts: what messages are made of in the files of Gemini CLI and its descendants.

A content is a text, a part, or a list of both. A part is a text, a thought, a call of a tool, its
response, or data; only what is read is told apart here.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Raw, Struct
from msgspec.json import Decoder

from steno.capture.snapshot import json_line


class Call(Struct):
    id: str | None = None
    name: str | None = None
    args: Raw = Raw()


class Response(Struct):
    id: str | None = None
    name: str | None = None
    response: Raw = Raw()


class Part(Struct, rename="camel"):
    text: str | None = None
    thought: bool | str | None = None
    function_call: Call | None = None
    function_response: Response | None = None


class Content(NamedTuple):
    """A content, taken apart."""

    texts: list[str]
    thoughts: list[str]
    calls: list[Call]
    responses: list[Response]

    @property
    def text(self) -> str:
        """What is said in it, the parts of one text put together."""
        return "".join(self.texts)


class Output(NamedTuple):
    """What a tool answered, and whether that tells of a failure."""

    text: str
    failed: bool


class _ResponseObject(Struct):
    output: Raw = Raw()
    error: Raw = Raw()


_CONTENT: Decoder[str | Part | list[str | Part] | None] = Decoder(
    str | Part | list[str | Part] | None
)
_TEXT: Decoder[str] = Decoder(str)
_RESPONSE: Decoder[_ResponseObject] = Decoder(_ResponseObject)


def is_set(raw: Raw) -> bool:
    """Tell whether a field was there and not null."""
    return bytes(raw) not in (b"", b"null")


def content_of(raw: Raw) -> Content:
    """Take a content apart; raise ``ValueError`` if it is none."""
    decoded = _CONTENT.decode(raw) if is_set(raw) else None
    if decoded is None:
        return Content([], [], [], [])
    parts: Sequence[str | Part] = decoded if isinstance(decoded, list) else [decoded]
    content = Content([], [], [], [])
    for part in parts:
        if isinstance(part, str):
            content.texts.append(part)
            continue
        if isinstance(part.thought, str):
            content.thoughts.append(part.thought)
        if part.text is not None:
            (content.thoughts if part.thought is True else content.texts).append(part.text)
        if part.function_call is not None:
            content.calls.append(part.function_call)
        if part.function_response is not None:
            content.responses.append(part.function_response)
    return content


def json_text(raw: Raw) -> str:
    """Return a JSON text's text, of any other JSON its source, without spaces between."""
    data = bytes(raw)
    if not is_set(raw):
        return ""
    return _TEXT.decode(data) if data.startswith(b'"') else json_line(data).decode()


def output_of(responses: Sequence[Response]) -> Output:
    """Return what the responses of one call say."""
    outputs = [_output(response.response) for response in responses]
    return Output(
        "\n".join(output.text for output in outputs), any(output.failed for output in outputs)
    )


def _output(raw: Raw) -> Output:
    if not bytes(raw).startswith(b"{"):
        return Output(json_text(raw), failed=False)
    response = _RESPONSE.decode(raw)
    if is_set(response.error):
        return Output(json_text(response.error), failed=True)
    return Output(json_text(response.output if is_set(response.output) else raw), failed=False)
