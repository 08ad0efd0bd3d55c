"""Redaction: vendors' published key formats are found, ordinary text is left alone.

Keys are drawn here, from the formats that the vendors publish, never from our own patterns.
"""

import json
import random
import re
import string
import uuid
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_schema.limits import NESTING_MAX
from steno_schema.records import Exchange, Message, Metric
from steno_schema.redaction import redact_line, redact_record, redact_text, redact_value

LOWER_HEX = "0123456789abcdef"
BASE62 = string.ascii_letters + string.digits
URL_SAFE = BASE62 + "-_"
UPPER36 = string.ascii_uppercase + string.digits

Draw = Callable[[random.Random], str]


def drawn(r: random.Random, alphabet: str, size: int) -> str:
    return "".join(r.choices(alphabet, k=size))


def slack_bot(r: random.Random) -> str:
    ids = f"{drawn(r, string.digits, 12)}-{drawn(r, string.digits, 13)}"
    return f"xoxb-{ids}-{drawn(r, BASE62, 24)}"


def jwt(r: random.Random) -> str:
    header = {"alg": "HS256", "typ": "JWT"}
    claims = {"sub": drawn(r, string.digits, 10), "name": "Ada", "iat": 1516239022}
    parts = [json.dumps(p, separators=(",", ":")).encode() for p in (header, claims)]
    parts.append(r.randbytes(32))
    return ".".join(urlsafe_b64encode(p).decode().rstrip("=") for p in parts)


def pem_body(r: random.Random) -> str:
    text = b64encode(r.randbytes(600)).decode()
    return "\n".join(text[i : i + 64] for i in range(0, len(text), 64))


KEYS: dict[str, Draw] = {
    "aws-access-key": lambda r: r.choice(["AKIA", "ASIA"]) + drawn(r, UPPER36, 16),
    "github-token": lambda r: f"gh{r.choice('pousr')}_{drawn(r, BASE62, 36)}",
    "github-fine-token": lambda r: f"github_pat_{drawn(r, BASE62, 22)}_{drawn(r, BASE62, 59)}",
    "gitlab-token": lambda r: f"glpat-{drawn(r, URL_SAFE, 20)}",
    "slack-bot-token": slack_bot,
    "slack-app-token": lambda r: (
        f"xapp-1-A{drawn(r, UPPER36, 10)}-{drawn(r, string.digits, 13)}-{drawn(r, LOWER_HEX, 64)}"
    ),
    "stripe-key": lambda r: f"{r.choice('sr')}k_live_{drawn(r, BASE62, r.choice([24, 99]))}",
    "openai-key": lambda r: f"sk-{drawn(r, BASE62, 20)}T3BlbkFJ{drawn(r, BASE62, 20)}",
    "openai-project-key": lambda r: f"sk-proj-{drawn(r, URL_SAFE, 156)}",
    "anthropic-key": lambda r: f"sk-ant-api03-{drawn(r, URL_SAFE, 93)}AA",
    "google-key": lambda r: f"AIza{drawn(r, URL_SAFE, 35)}",
    "npm-token": lambda r: f"npm_{drawn(r, BASE62, 36)}",
    "pypi-token": lambda r: f"pypi-AgEIcHlwaS5vcmc{drawn(r, URL_SAFE, 160)}",
    "huggingface-token": lambda r: f"hf_{drawn(r, string.ascii_letters, 34)}",
    "sendgrid-key": lambda r: f"SG.{drawn(r, URL_SAFE, 22)}.{drawn(r, URL_SAFE, 43)}",
    "twilio-key": lambda r: f"SK{drawn(r, LOWER_HEX, 32)}",
    "digitalocean-token": lambda r: f"dop_v1_{drawn(r, LOWER_HEX, 64)}",
    "shopify-token": lambda r: f"shpat_{drawn(r, LOWER_HEX, 32)}",
    "jwt": jwt,
}
"""Keys that are known by their own form, wherever they stand."""

IN_CONTEXT: dict[str, tuple[str, Draw]] = {
    "aws-secret-key": ("aws_secret_access_key = {}", lambda r: drawn(r, BASE62 + "+/", 40)),
    "aws-json": ('"SecretAccessKey": "{}"', lambda r: drawn(r, BASE62 + "+/", 40)),
    "telegram-token": ("bot 123456789:AA{}", lambda r: drawn(r, URL_SAFE, 33)),
    "slack-webhook": (
        "https://hooks.slack.com/services/{}",
        lambda r: f"T{drawn(r, UPPER36, 8)}/B{drawn(r, UPPER36, 8)}/{drawn(r, BASE62, 24)}",
    ),
    "url-password": ("postgres://app:{}@db.local/x", lambda r: drawn(r, BASE62 + "!$*", 12)),
    "bearer": ("Authorization: Bearer {}", lambda r: drawn(r, BASE62, 40)),
    "api-key": ("API_KEY={}", lambda r: drawn(r, LOWER_HEX, 32)),
    "api-key-json": ('"apiKey": "{}"', lambda r: drawn(r, BASE62, 40)),
    "client-secret": ("client_secret: '{}'", lambda r: drawn(r, BASE62, 32)),
    "token": ("TOKEN={}", lambda r: drawn(r, BASE62, 40)),
    "token-option": ("deploy --token {} --now", lambda r: drawn(r, LOWER_HEX, 40)),
    "password": (
        'password="{}"',
        lambda r: drawn(r, string.ascii_letters, 6) + drawn(r, string.digits, 3) + "!",
    ),
    "private-key": (
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
        pem_body,
    ),
    "gcp-service-account": (
        '{{"private_key": "-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----\\n"}}',
        lambda r: pem_body(r).replace("\n", "\\n"),
    ),
}
"""Keys that their surroundings give away; ``{}`` is the key's place."""

SURROUNDINGS = ("{}", "token {}.", 'x = "{}"', "a\n{}\nb", "curl -H 'X: {}'", "?k={}&z=1", "é{}é")


def in_json(text: str, depth: int = 1) -> bytes:
    for _ in range(depth):
        text = json.dumps({"type": "user", "text": text}, ensure_ascii=False)
    return text.encode()


@pytest.mark.parametrize("kind", KEYS)
def test_finds_keys_by_their_form(kind: str) -> None:
    r = random.Random(kind)
    missed = 0
    for surrounding in SURROUNDINGS * 30:
        key = KEYS[kind](r)
        text = surrounding.format(key)
        redacted, findings = redact_text(text)
        line, count = redact_line(in_json(text, r.choice([1, 2, 3])))
        json.loads(line)
        missed += not findings or key in redacted or not count or key.encode() in line
    assert missed <= 0.01 * 30 * len(SURROUNDINGS)


@pytest.mark.parametrize("kind", IN_CONTEXT)
def test_finds_keys_by_their_surroundings(kind: str) -> None:
    r = random.Random(kind)
    context, draw = IN_CONTEXT[kind]
    missed = 0
    for _ in range(200):
        key = draw(r)
        text = context.format(key)
        redacted, findings = redact_text(f"run this\n{text}\nthanks")
        line, count = redact_line(in_json(f"run this\n{text}\nthanks", r.choice([1, 2, 3])))
        json.loads(line)
        missed += not findings or key in redacted or not count or key.encode() in line
    assert missed <= 2


@pytest.mark.parametrize(
    "text",
    [
        f"session {uuid.UUID(int=2**127 + 12345)} token: {uuid.UUID(int=2**126 + 999)}",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "sha256:" + LOWER_HEX * 4,
        "data:image/png;base64," + b64encode(random.Random(1).randbytes(3000)).decode(),
        "sha512-" + b64encode(random.Random(2).randbytes(64)).decode(),
        "integrity " + urlsafe_b64encode(random.Random(3).randbytes(3000)).decode(),
        '{"input_tokens": 12345678901234567890, "max_tokens": 4096}',
        "token = request.headers.get_authorization_token_v2()",
        "password = os.environ['PASSWORD']; password: str = Field(min_length=8)",
        "api_key=settings.OPENAI_API_KEY, secret: config.client_secret_name",
        "api_key = 'your-api-key-1234567890'",
        "PWD=/home/ada/projects/api2",
        "the task-force-risk-assessment-disk-2024-report-final and sk-learn-pipeline-components",
        "https://example.org:8080/@scope/package and git@github.com:org/repo.git",
        "postgres://user:password@localhost and postgres://user:$DB_PASSWORD@localhost",
        "toolu_01A09q90qw90lq917835lq9 msg_01XFDUDYJgAACzvnptvVoYEL call_9f8e7d6c5b4a39281706f5e4",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1234567890abcd",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "the secret: never give up; the key: practice, practice, practice!",
    ],
)
def test_leaves_ordinary_text_alone(text: str) -> None:
    assert redact_text(text) == (text, [])
    assert redact_line(in_json(text)) == (in_json(text), 0)


def test_says_what_kind_was_taken_out_and_keeps_the_rest() -> None:
    token = KEYS["github-token"](random.Random(5))
    redacted, findings = redact_text(f"use {token}, please")
    assert redacted == "use [redacted:github-token], please"
    assert [(f.kind, f.size_bytes) for f in findings] == [("github-token", len(token))]


def test_a_key_right_behind_an_escape_is_found_and_the_escape_stays_whole() -> None:
    token = KEYS["npm-token"](random.Random(6))
    assert json.loads(redact_line(in_json(f"a\n{token}"))[0])["text"] == "a\n[redacted:npm-token]"
    newline_and_rest = b'{"text": "a\\n' + token[1:].encode() + b'"}'
    assert redact_line(newline_and_rest) == (newline_and_rest, 0)


def test_the_number_of_lines_never_changes() -> None:
    r = random.Random(7)
    block = IN_CONTEXT["private-key"][0].format(pem_body(r)) + "\n" + KEYS["jwt"](r) + "\nend\n"
    redacted, count = redact_line(block.encode())
    assert count == 2
    assert redacted.count(b"\n") == block.count("\n")


def test_overlapping_finds_become_one_of_the_more_telling_kind() -> None:
    key = KEYS["anthropic-key"](random.Random(8))
    assert redact_text(f"API_KEY={key}")[0] == "API_KEY=[redacted:anthropic-key]"


pieces = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["password=", '"token": "', "\\n", "\\", '"', "://", "@", "-----", "eyJ", "[", "]"]
    ),
    st.builds(lambda k, s: KEYS[k](random.Random(s)), st.sampled_from(list(KEYS)), st.integers()),
    st.builds(
        lambda k, s: IN_CONTEXT[k][0].format(IN_CONTEXT[k][1](random.Random(s))),
        st.sampled_from(list(IN_CONTEXT)),
        st.integers(),
    ),
)
texts = st.lists(pieces, max_size=8).map("".join)


@given(texts)
def test_twice_is_the_same_as_once(text: str) -> None:
    once = redact_text(text)[0]
    assert redact_text(once) == (once, [])


@given(
    st.recursive(
        texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    ),
    st.booleans(),
)
def test_json_stays_json_of_the_same_shape(value: object, ascii_only: bool) -> None:
    line = json.dumps({"value": value}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    redacted, count = redact_line(line)
    json.loads(redacted.decode("utf-8", "surrogatepass"))
    assert redact_line(redacted) == (redacted, 0)
    quotes = re.compile(rb'(?<!\\)(?:\\\\)*"')
    assert len(quotes.findall(redacted)) == len(quotes.findall(line))
    assert (redacted is line) == (count == 0)


def test_records_are_searched_in_every_text() -> None:
    r = random.Random(9)
    token = KEYS["github-token"](r)
    secret = drawn(r, BASE62, 40)
    exchange = Exchange(
        id="0" * 32,
        prompt=f"use {token}",
        tags=["a", token],
        metadata={"deep": [{"api_key": secret, "n": 3}], token: 1},
    )
    redacted, count = redact_record(exchange)
    assert count == 4
    assert token not in str(redacted)
    assert secret not in str(redacted)
    assert redact_record(redacted) == (redacted, 0)
    assert exchange.tags[1] == token


def test_a_clean_record_comes_back_as_it_is() -> None:
    message = Message(id="0" * 32, conversation="c", role="user", content="hello there, friend")
    metric = Metric(id="0" * 32, metric="m", value=1.5, labels={"password_policy": "none at all"})
    assert redact_record(message)[0] is message
    assert redact_record(metric)[0] is metric


def test_metadata_nested_too_deep_is_refused_in_one_sentence() -> None:
    deep: list[object] = []
    for _ in range(NESTING_MAX + 1):
        deep = [deep]
    with pytest.raises(ValueError, match="nested deeper than 128 levels; flatten it"):
        redact_value(deep)


def test_hostile_repetition_takes_one_pass_over_the_text() -> None:
    """Would take minutes if a pattern were quadratic."""
    for piece in ("eyJ", "sk-", "token=", "://a:", "-----BEGIN PRIVATE KEY-----", "eyJa.", "_a1"):
        text = piece * (1_000_000 // len(piece))
        assert len(redact_text(text)[0]) <= len(text)


def test_findings_are_plain_data() -> None:
    findings = redact_text(f"use {KEYS['jwt'](random.Random(10))}")[1]
    assert msgspec.json.decode(msgspec.json.encode(findings))[0]["kind"] == "jwt"
