"""Which prompts a request holds: forms, JSON, URL parameters, and whatever else is sent."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.requests_made import FORM, MULTIPART, form_data
from steno.middleware.fields import PROMPTS_MAX, fields_of, is_readable

JSON = "application/json"


def texts(body: bytes = b"", content_type: str = "", query: bytes = b"") -> dict[str, str]:
    return {field.key: field.text for field in fields_of(query, content_type, body)}


def test_any_key_that_contains_prompt_or_query() -> None:
    body = b"prompt=one&userPrompt=two&QUERY_TEXT=three&search_query=four&topic=none&q=none"
    assert texts(body, FORM) == {
        "prompt": "one",
        "userPrompt": "two",
        "QUERY_TEXT": "three",
        "search_query": "four",
    }


def test_url_parameters_and_body_are_told_apart() -> None:
    found = fields_of(b"query=from+the+url&page=2", FORM, b"prompt=from%20the%20body")
    assert [(field.text, field.part) for field in found] == [
        ("from the url", "url"),
        ("from the body", "body"),
    ]


def test_json_at_any_depth_and_in_lists() -> None:
    body = {
        "prompt": "one",
        "options": {"subPrompt": "two", "max_prompt_tokens": 5, "prompt": None},
        "items": [{"query": "three"}, {"other": "none"}, "none"],
        "prompts": ["four", ["five"], {"text": "none", "query_a": "six"}],
    }
    found = fields_of(b"", "application/json; charset=utf-8", json.dumps(body).encode())
    assert [field.text for field in found] == ["one", "two", "three", "four", "five", "six"]
    assert texts(b'{"prompt": "a"}', "application/vnd.api+json") == {"prompt": "a"}


def test_multipart_fields_but_no_files() -> None:
    body = form_data(prompt="über\r\nzwei Zeilen", file="the prompt of a file", other="none")
    assert texts(body, MULTIPART) == {"prompt": "über\r\nzwei Zeilen"}
    assert texts(body.replace(b"b0undary", b"x"), "multipart/form-data; boundary=x") == {
        "prompt": "über\r\nzwei Zeilen"
    }


def test_one_request_cannot_fill_the_history() -> None:
    body = "&".join(f"prompt{number}=text" for number in range(900)).encode()
    assert len(texts(body, FORM)) == PROMPTS_MAX


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON, b'{"prompt": "cut'),
        (JSON, b"[" * 100_000),
        (JSON, b'{"prompt": "\xff"}'),
        ("multipart/form-data", b"no boundary"),
        (MULTIPART, b"--b0undary\r\nprompt without a head"),
        ("text/plain", b"prompt=no form"),
        ("application/octet-stream", b"prompt=no form"),
        (FORM, b"&" * 5000),
        ("", b"prompt=no type"),
    ],
)
def test_what_cannot_be_read_holds_nothing(content_type: str, body: bytes) -> None:
    assert texts(body, content_type) == {}


@given(
    st.sampled_from([FORM, MULTIPART, JSON, "multipart/form-data;boundary=a", "x/y"]),
    st.binary(max_size=300)
    | st.binary(max_size=100).map(lambda noise: form_data(prompt="x") + noise)
    | st.text(max_size=100).map(lambda text: json.dumps({"prompt": text}).encode("utf-8")),
    st.binary(max_size=100),
)
def test_nothing_that_is_sent_breaks_it(content_type: str, body: bytes, query: bytes) -> None:
    found = fields_of(query, content_type, body)
    assert len(found) <= PROMPTS_MAX
    assert all("prompt" in field.key.lower() or "query" in field.key.lower() for field in found)


def test_which_bodies_are_worth_a_copy() -> None:
    assert all(is_readable(kind) for kind in (FORM, MULTIPART, JSON, "Application/JSON;a=b"))
    assert not any(is_readable(kind) for kind in ("", "video/mp4", "text/html", "application/pdf"))
