r"""The secrets that are known, as data: one row for each published key format.

A row is found by a *lead*: one character (or a few) that stands in every key of that kind and is
seldom followed by what follows it there. So a text is searched once for each lead, not once for
each row. The patterns are bounded or possessive and start at a word boundary, so that no text
takes more than linear time.

They look at bytes that may be JSON, perhaps JSON within JSON: a quote may stand behind
backslashes, and a word may start right behind an escape such as ``\n``.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

Check = Callable[[str], bool]


class Rule(NamedTuple):
    """A kind of secret: one of ``heads``, the lead, ``tail``.

    The secret is the tail's group ``value``; without one it is the whole, begins a word, and its
    heads are of one width. ``check`` has the last word on the secret.
    """

    kind: str
    heads: tuple[str, ...]
    tail: str
    check: Check | None = None


class Lead(NamedTuple):
    """Rows with a common lead; ``guard`` is what must follow it in all of them.

    ``lowered``: they look at the text in lower case. ``only_with``: a byte without which there is
    nothing to find.
    """

    text: str
    rules: tuple[Rule, ...]
    guard: str = ""
    lowered: bool = False
    only_with: bytes = b""


class Row(NamedTuple):
    """A rule in its compiled pattern: the secret starts ``before`` the group, ends with it."""

    kind: str
    group: int
    before: int
    check: Check | None


class Scan(NamedTuple):
    """A lead made ready: one pattern for all its rules, told apart by the last group matched."""

    search: Callable[..., re.Match[bytes] | None]
    rows: dict[int, Row]
    lowered: bool
    only_with: bytes


_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_IDENTIFIER = re.compile(r"[A-Za-z_]+[0-9]{0,3}(?:[._-][A-Za-z_]*[0-9]{0,3})*")
_VARIABLE = re.compile(r"\$[A-Za-z_]+|\$?\{.*\}|%s|[*.]+")
_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")
_CLASSES = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz",
    "A" * 26 + "0" * 10 + "a" * 26,
)
_CHANGES = re.compile(r"(?=A[a0]|a[A0]|0[Aa])")
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{40}")
_STAND_INS = ("example", "your", "xxxx", "****", "redacted", "placeholder", "changeme", "dummy")

_MIN_BITS_PER_CHARACTER = 2.8
_MIN_CHANGES_SHARE = 0.2


def is_mixed(value: str) -> bool:
    """Tell whether letters and digits both occur, as in any key that was drawn at random."""
    return (
        any(c.isdigit() for c in value)
        and any(c.isalpha() for c in value)
        and len(set(value)) >= 8
    )


def is_drawn(value: str) -> bool:
    """Tell whether a value behind a vendor's prefix is none that was written: it mixes kinds."""
    kinds = (
        any(map(str.isupper, value)),
        any(map(str.islower, value)),
        any(map(str.isdigit, value)),
    )
    return sum(kinds) >= 2 and len(set(value)) >= 8 and not _stands_in(value)


def is_random(value: str) -> bool:
    """Tell whether a value that a name calls a secret looks drawn, not written.

    Words and identifiers keep to one kind of character for long; a UUID is a name.
    """
    if not is_mixed(value) or _stands_in(value) or _UUID.fullmatch(value):
        return False
    packed = _SEPARATORS.sub("", value)
    changes = len(_CHANGES.findall(packed.translate(_CLASSES)))
    return changes >= _MIN_CHANGES_SHARE * len(packed) and _bits(value) >= _MIN_BITS_PER_CHARACTER


def is_password(value: str) -> bool:
    """Tell whether a value that a name calls a password is one, not a path or a variable."""
    return (
        any(c.isdigit() or c in "!@#%^&*" for c in value)
        and any(c.isalpha() for c in value)
        and len(set(value)) >= 5
        and not value.startswith(("/", "./", "../", "~", "%", "@", "#", "-"))
        and "://" not in value
        and not (_IDENTIFIER.fullmatch(value) and ("_" in value or "." in value))
        and not _stands_in(value)
    )


def is_url_password(value: str) -> bool:
    """Tell whether what stands before a host's ``@`` is a password, not a variable's name."""
    return (
        not _VARIABLE.fullmatch(value)
        and not _stands_in(value)
        and value.lower() not in {"password", "pass", "passwd", "pw", "pwd", "secret", "token"}
    )


def is_key_block(value: str) -> bool:
    """Tell whether there is a line of key between the two lines that frame it."""
    return _KEY_LINE.search(value) is not None


def _stands_in(value: str) -> bool:
    lowered = value.lower()
    return any(word in lowered for word in _STAND_INS)


def _bits(value: str) -> float:
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


_QUOTES = r"\\\"'`"
_QUOTE = r"(?:\\{0,7}[\"'`])?"
_ASSIGN = _QUOTE + r"\]?[ \t]{0,4}(?:=>|:=|[:=])[ \t]{0,4}" + _QUOTE
_OPTION = r"[ \t]{1,4}" + _QUOTE
_WORD = r"[A-Za-z0-9_-]"
_ALNUM = "[A-Za-z0-9]"
_NO_CODE = r"(?![(\[{<$])"
_VALUE = rf"(?P<value>[A-Za-z0-9+/_.~-]{{16,}}+={{0,2}}){_NO_CODE}"
_PASSWORD = (
    rf"(?P<value>[A-Za-z0-9+/_.~!@#%^&*-][A-Za-z0-9+/_.~!@#%^&*$-]{{7,}}+={{0,2}}){_NO_CODE}"
)
_SIGNED = r"(?P<value>[A-Za-z0-9+/_.~!@#%^&*$()=-]{32,}+)"
_PEM_BODY = r"(?P<value>(?:[A-Za-z0-9+/=:,. \t\r\n]++|-(?!----)|\\{1,8}[nrt/])++)"
_BEARER = r"(?:(?:bearer|basic|token)[ \t]{1,4})"

_KEY_NAMES = (
    *("api", "access", "secret", "auth", "private", "signing", "encryption", "master"),
    *("account", "storage", "service", "client", "license", "deploy", "subscription"),
    *("app", "application"),
)
_KEY_HEADS = tuple(name + gap for name in _KEY_NAMES for gap in ("", "[ _-]"))
_AWS_SECRET_HEADS = ("secret[ _-]access[ _-]", "secretaccess", "aws[ _-]secret[ _-]")
_PEM_HEADS = tuple(
    f"BEGIN {name}PRIV"
    for name in ("", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "PGP ", "SSH2 ENCRYPTED ")
)

LEADS = (
    Lead(
        "_",
        (
            Rule("github-token", ("gh[pousr]",), r"[A-Za-z0-9]{36,}+"),
            Rule("github-token", ("github_pat",), r"[A-Za-z0-9]{22}_[A-Za-z0-9]{40,}+"),
            Rule("stripe-key", ("[sr]k_live", "[sr]k_test"), r"[A-Za-z0-9]{16,}+", is_drawn),
            Rule("stripe-secret", ("whsec",), r"[A-Za-z0-9+/]{32,}+={0,2}", is_mixed),
            Rule("npm-token", ("npm",), r"[A-Za-z0-9]{36,}+"),
            Rule("huggingface-token", ("hf",), r"[A-Za-z0-9]{30,}+"),
            Rule("digitalocean-token", ("do[opr]_v1",), r"[a-f0-9]{64}"),
            Rule("shopify-token", ("shpat", "shpca", "shppa", "shpss"), r"[a-fA-F0-9]{32}"),
            Rule("groq-key", ("gsk",), r"[A-Za-z0-9]{40,}+"),
            Rule("replicate-token", ("r8",), r"[A-Za-z0-9]{36,}+", is_drawn),
            Rule("langsmith-key", ("lsv2_pt", "lsv2_sk"), r"[a-f0-9]{32}_[a-f0-9]{8,}+"),
            Rule("pinecone-key", ("pcsk",), r"[A-Za-z0-9]{4,8}_[A-Za-z0-9]{40,}+"),
            Rule("rubygems-key", ("rubygems",), r"[a-f0-9]{48}"),
            Rule("docker-token", ("dckr_pat", "dckr_oat"), rf"{_WORD}{{24,}}+", is_drawn),
            Rule("linear-key", ("lin_api", "lin_oauth"), r"[A-Za-z0-9]{32,}+", is_drawn),
            Rule("notion-token", ("ntn",), r"[A-Za-z0-9]{40,}+", is_drawn),
            Rule("figma-token", ("figd",), rf"{_WORD}{{36,}}+", is_drawn),
            Rule("grafana-token", ("glsa",), r"[A-Za-z0-9]{32}_[a-fA-F0-9]{8}"),
            Rule("sentry-token", ("sntryu",), r"[a-f0-9]{64}"),
            Rule("sentry-token", ("sntrys",), rf"{_WORD}{{40,}}+", is_drawn),
            Rule("supabase-token", ("sbp",), r"[a-f0-9]{40}"),
            Rule("planetscale-token", ("pscale_tkn", "pscale_pw"), rf"{_WORD}{{32,}}+"),
            Rule("netlify-token", ("nfp",), r"[A-Za-z0-9]{36,}+", is_drawn),
            Rule("buildkite-token", ("bkua",), r"[a-f0-9]{40}"),
        ),
        guard="(?<=[a-z128]_)(?=[a-z_-]{0,15}[A-Z0-9+/])(?=[A-Za-z0-9+/_-]{16})",
    ),
    Lead(
        "-",
        (
            Rule("anthropic-key", ("sk",), rf"ant-{_WORD}{{32,}}+", is_mixed),
            Rule("openai-key", ("sk",), rf"{_WORD}{{20,}}+", is_random),
            Rule("slack-token", ("xox[abeoprs]", "xapp"), r"[A-Za-z0-9.-]{20,}+", is_mixed),
            Rule("gitlab-token", ("glpat", "glptt", "glcbt"), rf"{_WORD}{{20,}}+"),
            Rule("gitlab-token", ("glrt", "gldt", "glft", "glwt"), rf"{_WORD}{{20,}}+"),
            Rule("gitlab-token", ("gloas", "glimt"), rf"{_WORD}{{20,}}+", is_drawn),
            Rule("gitlab-token", ("glsoat", "glffct"), rf"{_WORD}{{20,}}+", is_drawn),
            Rule("gitlab-token", ("glagent",), rf"{_WORD}{{20,}}+", is_drawn),
            Rule("xai-key", ("xai",), r"[A-Za-z0-9]{64,}+", is_drawn),
            Rule("perplexity-key", ("pplx",), r"[A-Za-z0-9]{40,}+", is_drawn),
            Rule("tavily-key", ("tvly",), r"(?:dev-|prod-)?[A-Za-z0-9]{28,}+", is_drawn),
            Rule("postman-key", ("PMAK",), r"[a-f0-9]{24}-[a-f0-9]{34}"),
            Rule("newrelic-key", ("NRAK",), r"[A-Z0-9]{27}"),
            Rule("heroku-key", ("HRKU",), r"[A-Za-z0-9_-]{36,}+", is_drawn),
            Rule("age-key", ("AGE-SECRET-KEY",), r"1[A-Z0-9]{58}"),
            Rule("pypi-token", ("pypi",), rf"AgE{_WORD}{{48,}}+"),
            Rule("google-secret", ("GOCSPX",), rf"{_WORD}{{24,}}+"),
        ),
        guard="(?<=[abeikoprstxyKUXY]-)(?=[A-Za-z0-9_-]{16})",
    ),
    Lead(
        "A",
        (
            Rule("aws-access-key", ("",), r"[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])"),
            Rule("google-key", ("",), rf"Iza{_WORD}{{35}}(?!{_WORD})"),
            Rule("atlassian-token", ("",), rf"TATT3{_WORD}{{64,}}+(?:=[A-F0-9]{{8}})?"),
            Rule("telegram-token", ("[0-9]{8}:",), rf"(?P<value>{_WORD}{{34}})(?!{_WORD})"),
            Rule("private-key", _PEM_HEADS, rf"TE KEY(?: BLOCK)?-----{_PEM_BODY}", is_key_block),
        ),
        guard="(?=[KS]IA|Iza|TATT3|A[A-Za-z0-9_-]|TE KEY)",
    ),
    Lead(
        ".",
        (
            Rule("vault-token", ("hv[sbr]",), rf"{_WORD}{{24,}}+", is_mixed),
            Rule("google-token", ("ya29",), rf"{_WORD}{{24,}}+", is_mixed),
            Rule("doppler-token", ("dp[.][ps]t",), r"[A-Za-z0-9]{40,}+"),
            Rule("terraform-token", (_ALNUM * 14 + "[.]atlasv1",), rf"{_WORD}{{60,}}+"),
            Rule("airtable-token", ("pat" + _ALNUM * 14,), r"[a-f0-9]{64}"),
        ),
        guard="(?=[A-Za-z0-9_-]{24})",
    ),
    Lead("dapi", (Rule("databricks-token", ("",), r"[a-f0-9]{32}(?:-[0-9])?(?![a-f0-9])"),)),
    Lead(
        "J",
        (Rule("jwt", ("ey",), rf"(?:{_WORD}{{10,}}+\.){{2}}{_WORD}{{10,}}+"),),
        guard="(?<=yJ)(?=[A-Za-z0-9_-]{10})",
    ),
    Lead(
        "S",
        (
            Rule("sendgrid-key", ("",), rf"G\.{_WORD}{{16,32}}\.{_WORD}{{32,}}+"),
            Rule("twilio-key", ("",), r"K[0-9a-f]{32}(?![A-Za-z0-9])"),
        ),
        guard=r"(?=G\.|K[0-9a-f]{4})",
    ),
    Lead(
        "://",
        (
            Rule(
                "url-password",
                ("",),
                r"[^\x00-\x20/@:\"'`\\<>\[\]]{0,64}:"
                r"(?P<value>[^\x00-\x20/@\"'`\\<>\[\]]{1,128})@(?=[A-Za-z0-9\[])",
                is_url_password,
            ),
        ),
        only_with=b"@",
    ),
    Lead(
        "k",
        (
            Rule(
                "slack-webhook",
                ("hoo",),
                r"s\.slack\.com/(?:services|workflows|triggers)/(?P<value>[a-z0-9/]{20,}+)",
            ),
            Rule("discord-webhook", ("webhoo",), rf"s/[0-9]{{16,20}}/(?P<value>{_WORD}{{60,}}+)"),
            Rule("aws-secret-key", _AWS_SECRET_HEADS, rf"ey{_ASSIGN}(?P<value>[a-z0-9/+]{{40}})"),
            Rule("key", ("secret[ _-]", "secret"), rf"ey(?:_?base)?{_ASSIGN}{_SIGNED}", is_random),
            Rule("key", _KEY_HEADS, rf"ey(?:{_ASSIGN}){_VALUE}", is_random),
            Rule("key", ("--api-", "-access-", "-secret-"), rf"ey{_OPTION}{_VALUE}", is_random),
            Rule("token", ("to",), rf"en{_ASSIGN}{_VALUE}", is_random),
            Rule("token", ("--to", "-to"), rf"en{_OPTION}{_VALUE}", is_random),
        ),
        guard=rf"(?=e[ny](?:[{_QUOTES}]|_?base|[ \t]{{0,4}}(?:[:={_QUOTES}]|[a-z0-9+/_.~-]{{16}}))"
        r"|s\.slack|s/[0-9])",
        lowered=True,
    ),
    Lead("cret", (Rule("secret", ("se",), rf"{_ASSIGN}{_VALUE}", is_random),), lowered=True),
    Lead(
        "w",
        (
            Rule("password", ("pass",), rf"(?:or)?d{_ASSIGN}{_PASSWORD}", is_password),
            Rule("password", ("p",), rf"d{_ASSIGN}{_PASSWORD}", is_password),
            Rule("password", ("--pass",), rf"ord{_OPTION}{_PASSWORD}", is_password),
        ),
        guard="(?<=[ps]w)(?=d|ord)",
        lowered=True,
    ),
    Lead(
        "z",
        (
            Rule(
                "authorization",
                ("authori",),
                rf"ation{_ASSIGN}{_BEARER}(?P<value>[a-z0-9+/_.~-]{{12,}}+={{0,2}})",
                is_mixed,
            ),
        ),
        lowered=True,
    ),
)
"""Order matters where two rows find the same secret: the earlier one names it."""

_BOUNDARIES = (
    r"(?<![A-Za-z0-9_-]{0})",
    r"(?<=\\[nrtbf]{0})",
    r"(?<=\\u[0-9a-fA-F]{{4}}{0})",
    r"(?<=%[0-9A-F][0-9A-F]{0})",
    r"(?<=\[[0-9]m{0})",
    r"(?<=\[[0-9][0-9]m{0})",
)
"""What a key may follow: no word character, or one that ends an escape of JSON, of a URL or of a
terminal's colours."""


def compile_lead(lead: Lead) -> Scan:
    """Return the one pattern that finds all rules of a lead."""
    literal = re.escape(lead.text)
    rows = "|".join(_row(index, rule, literal) for index, rule in enumerate(lead.rules))
    pattern = re.compile(f"{literal}{lead.guard}(?:{rows})".encode("ascii"))
    groups = pattern.groupindex
    by_group: dict[int, Row] = {}
    for index, rule in enumerate(lead.rules):
        group = groups.get(f"value{index}", 0)
        before = 0 if group else _width(rule.heads[0])
        by_group[groups[f"row{index}"]] = Row(rule.kind, group, before, rule.check)
    return Scan(pattern.search, by_group, lead.lowered, lead.only_with)


def _row(index: int, rule: Rule, literal: str) -> str:
    heads = "|".join(f"(?<={head}{literal})" for head in rule.heads)
    if "(?P<value>" in rule.tail:
        tail = rule.tail.replace("(?P<value>", f"(?P<value{index}>")
        return f"(?P<row{index}>(?:{heads}){tail})"
    edges = "|".join(edge.format(head + literal) for head in rule.heads for edge in _BOUNDARIES)
    return f"(?P<row{index}>(?:{heads})(?:{edges}){rule.tail})"


def _width(head: str) -> int:
    """Return how many characters a head matches: each class in brackets is one."""
    return len(re.sub(r"\[[^]]*\]", "x", head))
