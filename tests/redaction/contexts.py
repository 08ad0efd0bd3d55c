"""Where secrets turn up in what people and agents write; ``{}`` is the secret's place."""

import json
import random
import re
from urllib.parse import quote

ANYWHERE = (
    "{}",
    "My key is {} and it does not work, why?",
    "Here: `{}`, please rotate it.",
    "export KEY={}\nnpm publish",
    'client = Client("{}")',
    "const api = new Api('{}');",
    "headers = {{'Authorization': 'Bearer {}'}}",
    "curl -s -H 'Authorization: Bearer {}' https://api.example.org/v1/items",
    "https://api.example.org/v1/items?key={}&page=2",
    "2026-01-02T03:04:05Z INFO request id=7 auth={} status=401",
    "+    token: {}\n-    token: ${{TOKEN}}",
    "  - name: KEY\n    value: {}\n",
    "| name | value |\n| key | {} |",
    "Clé : {} — merci ! 谢谢",
    "\x1b[32m{}\x1b[0m ok",
)
"""For secrets that tell by their form what they are."""

NAMED = (
    "{name}={value}",
    'export {name}="{value}"',
    "{name}: {value}",
    "{name}: '{value}'",
    '"{name}": "{value}",',
    'os.environ["{name}"] = "{value}"',
    "{lower} = '{value}'",
    'const {camel} = "{value}";',
    "docker run -e {name}={value} app",
    "$ echo ${name}\n{name}={value}",
    "[default]\n{lower} = {value}\n",
    "2026-01-02 03:04:05 DEBUG settings: {lower}={value}, retries=3",
)
"""For secrets that the name beside them gives away."""

IN_URLS = (
    "postgres://app:{}@db.example.org:5432/main",
    "DATABASE_URL=mysql://root:{}@127.0.0.1/shop",
    "git clone https://ada:{}@git.example.org/team/repo.git",
    "redis://:{}@cache:6379/0",
    "amqp://user:{}@queue.example.org//",
)
"""For passwords, as RFC 3986 writes them."""


def named(template: str, name: str, value: str) -> str:
    """Return a template with the name in the way its place wants it."""
    words = name.lower().split("_")
    camel = words[0] + "".join(word.capitalize() for word in words[1:])
    return template.format(name=name, lower=name.lower(), camel=camel, value=value)


def in_url(r: random.Random, password: str) -> str:
    return r.choice(IN_URLS).format(quote(password, safe=""))


def as_line(r: random.Random, text: str) -> str:
    """Return the text as a line of a transcript: JSON, perhaps with JSON in it."""
    for _ in range(r.choice((1, 1, 2))):
        text = json.dumps({"type": "user", "content": text}, ensure_ascii=r.random() < 0.5)
    return text


def survives(secret: str, text: str) -> bool:
    """Tell whether anything of a secret worth having is left: a run of 12 of its characters."""
    plain = re.sub(r"\s|\\+n", "", text)
    squeezed = re.sub(r"\s", "", secret)
    if squeezed.startswith("-----"):
        squeezed = re.sub(r"-----[A-Z ]+-----|-----[A-Z]+", "", squeezed)
    runs = (squeezed[at : at + 12] for at in range(max(len(squeezed) - 11, 1)))
    return any(run in plain for run in runs)
