"""Secrets drawn at random from the formats their vendors publish.

Nothing here is taken from steno's own patterns: each line says whose documentation gives the format.
"""

import json
import random
import re
import string
import uuid
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable

LOWER_HEX = "0123456789abcdef"
BASE62 = string.ascii_letters + string.digits
URL_SAFE = BASE62 + "-_"
BASE64 = BASE62 + "+/"
UPPER36 = string.ascii_uppercase + string.digits
BASE32 = string.ascii_uppercase + "234567"
BECH32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
DIGITS = string.digits

Draw = Callable[[random.Random], str]


def drawn(r: random.Random, alphabet: str, size: int) -> str:
    return "".join(r.choices(alphabet, k=size))


def _of(prefix: str, alphabet: str, *sizes: int, suffix: str = "") -> Draw:
    """Return what draws ``prefix``, that many characters, ``suffix``."""
    return lambda r: prefix + drawn(r, alphabet, r.choice(sizes)) + suffix


def jwt(r: random.Random) -> str:
    """RFC 7519: header, claims and signature in base64url."""
    header = {"alg": r.choice(["HS256", "RS256"]), "typ": "JWT"}
    claims = {"sub": drawn(r, DIGITS, 10), "iss": "https://auth.example.org", "iat": 1516239022}
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, claims)]
    parts.append(r.randbytes(32))
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def pem(kind: str, size_bytes: int) -> Draw:
    """RFC 7468: base64 in lines of 64 between two lines that name it."""

    def draw(r: random.Random) -> str:
        text = b64encode(r.randbytes(size_bytes)).decode()
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"])

    return draw


def _slack(prefix: str) -> Draw:
    return lambda r: (
        f"{prefix}-{drawn(r, DIGITS, 12)}-{drawn(r, DIGITS, 13)}-{drawn(r, BASE62, 24)}"
    )


BY_FORM: dict[str, Draw] = {
    # AWS IAM User Guide, "IAM identifiers": unique id prefixes
    "aws access key": lambda r: r.choice(["AKIA", "ASIA"]) + drawn(r, BASE32, 16),
    # GitHub Engineering, "Behind GitHub's new authentication token formats"
    "github": lambda r: f"gh{r.choice('pousr')}_{drawn(r, BASE62, 36)}",
    "github fine-grained": lambda r: f"github_pat_{drawn(r, BASE62, 22)}_{drawn(r, BASE62, 59)}",
    # GitLab Docs, "Token overview": token prefixes
    "gitlab": lambda r: r.choice(["glpat-", "glptt-", "gldt-", "glrt-"]) + drawn(r, URL_SAFE, 20),
    "gitlab others": lambda r: (
        r.choice(["glft-", "glsoat-", "glimt-", "glagent-", "glwt-"]) + drawn(r, URL_SAFE, 26)
    ),
    "gitlab oauth": _of("gloas-", LOWER_HEX, 64),
    "gitlab job": lambda r: f"glcbt-{drawn(r, LOWER_HEX, 2)}_{drawn(r, URL_SAFE, 20)}",
    # Slack API, "Token types"
    "slack bot": _slack("xoxb"),
    "slack user": _slack("xoxp"),
    "slack rotated": lambda r: f"xoxe.xoxp-1-{drawn(r, BASE62, 163)}",
    "slack app": lambda r: (
        f"xapp-1-A{drawn(r, UPPER36, 10)}-{drawn(r, DIGITS, 13)}-{drawn(r, LOWER_HEX, 64)}"
    ),
    # Slack API, "Sending messages using incoming webhooks"
    "slack webhook": lambda r: (
        "https://hooks.slack.com/services/"
        f"T{drawn(r, UPPER36, 8)}/B{drawn(r, UPPER36, 10)}/{drawn(r, BASE62, 24)}"
    ),
    # Discord Developer Docs, "Webhook resource"
    "discord webhook": lambda r: (
        f"https://discord.com/api/webhooks/{drawn(r, DIGITS, 19)}/{drawn(r, URL_SAFE, 68)}"
    ),
    # Stripe Docs, "API keys" and "Webhooks"
    "stripe": lambda r: (
        f"{r.choice(['sk', 'rk'])}_{r.choice(['live', 'test'])}_"
        + drawn(r, BASE62, r.choice([24, 99]))
    ),
    "stripe webhook": _of("whsec_", BASE62, 32),
    # Google Cloud Docs, "API keys", "OAuth 2.0 client secrets", "Token types"
    "google key": _of("AIza", URL_SAFE, 35),
    "google client secret": _of("GOCSPX-", URL_SAFE, 28),
    "google access token": _of("ya29.", URL_SAFE, 160, 200),
    # OpenAI platform docs, "API keys"
    "openai": lambda r: f"sk-{drawn(r, BASE62, 20)}T3BlbkFJ{drawn(r, BASE62, 20)}",
    "openai project": _of("sk-proj-", URL_SAFE, 156),
    "openai service": _of("sk-svcacct-", URL_SAFE, 156),
    # Anthropic docs, "API keys" and "Admin API"
    "anthropic": _of("sk-ant-api03-", URL_SAFE, 93, suffix="AA"),
    "anthropic admin": _of("sk-ant-admin01-", URL_SAFE, 93, suffix="AA"),
    "anthropic oauth": _of("sk-ant-oat01-", URL_SAFE, 93, suffix="AA"),
    # OpenRouter, Groq, xAI, Perplexity, Replicate, Hugging Face docs, "Authentication"
    "openrouter": _of("sk-or-v1-", LOWER_HEX, 64),
    "groq": _of("gsk_", BASE62, 52),
    "xai": _of("xai-", BASE62, 80),
    "perplexity": _of("pplx-", BASE62, 48),
    "replicate": _of("r8_", BASE62, 37),
    "hugging face": _of("hf_", string.ascii_letters, 34),
    # LangSmith, Tavily, Pinecone docs, "API keys"
    "langsmith": lambda r: f"lsv2_pt_{drawn(r, LOWER_HEX, 32)}_{drawn(r, LOWER_HEX, 10)}",
    "tavily": _of("tvly-dev-", BASE62, 32),
    "pinecone": lambda r: f"pcsk_{drawn(r, BASE62, 5)}_{drawn(r, BASE62, 63)}",
    # npm, PyPI, RubyGems, Docker Hub docs, "Access tokens"
    "npm": _of("npm_", BASE62, 36),
    "pypi": _of("pypi-AgEIcHlwaS5vcmc", URL_SAFE, 160),
    "rubygems": _of("rubygems_", LOWER_HEX, 48),
    "docker hub": _of("dckr_pat_", URL_SAFE, 27),
    # DigitalOcean, Shopify, SendGrid, Twilio API references, "Authentication"
    "digitalocean": lambda r: f"do{r.choice('opr')}_v1_{drawn(r, LOWER_HEX, 64)}",
    "shopify": lambda r: (
        r.choice(["shpat_", "shpca_", "shppa_", "shpss_"]) + drawn(r, LOWER_HEX, 32)
    ),
    "sendgrid": lambda r: f"SG.{drawn(r, URL_SAFE, 22)}.{drawn(r, URL_SAFE, 43)}",
    "twilio": _of("SK", LOWER_HEX, 32),
    # Telegram Bot API, "Authorizing your bot"
    "telegram": lambda r: f"{drawn(r, '123456789', 10)}:AA{drawn(r, URL_SAFE, 33)}",
    # HashiCorp Vault and HCP Terraform docs, "Tokens"
    "vault": _of("hvs.", URL_SAFE, 95),
    "terraform": lambda r: f"{drawn(r, BASE62, 14)}.atlasv1.{drawn(r, BASE62, 67)}",
    # Databricks, Atlassian, Linear, Notion, Postman, Figma, Airtable docs, "API tokens"
    "databricks": _of("dapi", LOWER_HEX, 32),
    "atlassian": lambda r: f"ATATT3xFfGF0{drawn(r, URL_SAFE, 171)}={drawn(r, UPPER36, 8)}",
    "linear": _of("lin_api_", BASE62, 40),
    "notion": _of("ntn_", BASE62, 46),
    "postman": lambda r: f"PMAK-{drawn(r, LOWER_HEX, 24)}-{drawn(r, LOWER_HEX, 34)}",
    "figma": _of("figd_", URL_SAFE, 40),
    "airtable": lambda r: f"pat{drawn(r, BASE62, 14)}.{drawn(r, LOWER_HEX, 64)}",
    # New Relic, Grafana, Sentry docs, "API keys", "Service accounts", "Auth tokens"
    "new relic": _of("NRAK-", UPPER36, 27),
    "grafana": lambda r: f"glsa_{drawn(r, BASE62, 32)}_{drawn(r, LOWER_HEX, 8)}",
    "sentry": _of("sntryu_", LOWER_HEX, 64),
    # Doppler, Supabase, PlanetScale, Netlify, Buildkite docs, "Access tokens"
    "doppler": _of("dp.pt.", BASE62, 43),
    "supabase": _of("sbp_", LOWER_HEX, 40),
    "planetscale": _of("pscale_tkn_", URL_SAFE, 43),
    "netlify": _of("nfp_", BASE62, 36),
    "buildkite": _of("bkua_", LOWER_HEX, 40),
    # RFC 7519; RFC 7468 with RFC 5958, PKCS #1, RFC 5915, OpenSSH's PROTOCOL.key; age's README
    "jwt": jwt,
    "pem rsa": pem("RSA PRIVATE KEY", 608),
    "pem pkcs8": pem("PRIVATE KEY", 1190),
    "pem ec": pem("EC PRIVATE KEY", 118),
    "pem openssh": pem("OPENSSH PRIVATE KEY", 320),
    "age": _of("AGE-SECRET-KEY-1", BECH32, 58),
}
"""Secrets that tell by their own form what they are, wherever they stand."""

WITH_PUBLIC_PART = frozenset({"slack webhook", "discord webhook", "telegram"})
"""Of these the last part alone is secret, behind an address or an id."""


def secret_part(vendor: str, text: str) -> str:
    """Return what of a drawn text must not be left."""
    return re.split("[/:]", text)[-1] if vendor in WITH_PUBLIC_PART else text


BY_NAME: dict[str, tuple[str, Draw]] = {
    # AWS IAM User Guide, "Manage access keys": 40 characters
    "aws secret": ("AWS_SECRET_ACCESS_KEY", _of("", BASE64, 40)),
    # Azure Storage docs, "Manage account access keys": 512 bits in base64
    "azure storage": (
        "AZURE_STORAGE_KEY",
        lambda r: b64encode(r.randbytes(64)).decode(),
    ),
    # Microsoft Entra docs, "Application credentials": 40 characters
    "azure client secret": (
        "AZURE_CLIENT_SECRET",
        lambda r: f"{drawn(r, BASE62, 3)}8Q~{drawn(r, BASE62 + '_.~-', 34)}",
    ),
    # Cloudflare API docs, "API tokens": 40 characters
    "cloudflare": ("CLOUDFLARE_API_TOKEN", _of("", URL_SAFE, 40)),
    # Mistral and Cohere docs, "API keys"
    "mistral": ("MISTRAL_API_KEY", _of("", BASE62, 32)),
    "cohere": ("COHERE_API_KEY", _of("", BASE62, 40)),
    # Datadog docs, "API and application keys"
    "datadog": ("DD_API_KEY", _of("", LOWER_HEX, 32)),
    "datadog app": ("DATADOG_APP_KEY", _of("", LOWER_HEX, 40)),
    # Mailgun and Mailchimp API references
    "mailgun": ("MAILGUN_API_KEY", lambda r: f"key-{drawn(r, LOWER_HEX, 32)}"),
    "mailchimp": (
        "MAILCHIMP_API_KEY",
        lambda r: f"{drawn(r, LOWER_HEX, 32)}-us{r.randrange(1, 22)}",
    ),
    # Discord Developer Docs, "Authentication": a user id, a time and a signature in base64url
    "discord bot": (
        "DISCORD_BOT_TOKEN",
        lambda r: (
            f"{b64encode(drawn(r, '123456789', 18).encode()).decode()}"
            f".{drawn(r, URL_SAFE, 6)}.{drawn(r, URL_SAFE, 38)}"
        ),
    ),
    # Twilio docs, "Auth tokens"
    "twilio auth": ("TWILIO_AUTH_TOKEN", _of("", LOWER_HEX, 32)),
    # Vercel and Fly.io docs, "Access tokens"
    "vercel": ("VERCEL_TOKEN", _of("", BASE62, 24)),
    "fly": ("FLY_API_TOKEN", _of("fm2_", BASE64, 200)),
    # Django's get_random_secret_key, Rails' secret_key_base, Python's secrets.token_urlsafe
    "django": (
        "DJANGO_SECRET_KEY",
        _of("", string.ascii_lowercase + DIGITS + "!@#$%^&*(-_=+)", 50),
    ),
    "rails": ("SECRET_KEY_BASE", _of("", LOWER_HEX, 128)),
    "session secret": ("SESSION_SECRET", _of("", URL_SAFE, 43)),
    # Heroku Dev Center, "Authentication": a UUID behind its prefix
    "heroku": ("HEROKU_API_KEY", lambda r: f"HRKU-{uuid.UUID(int=r.getrandbits(128), version=4)}"),
    # What password managers draw by default: letters, digits and signs
    "password": ("DB_PASSWORD", lambda r: drawn(r, BASE62, 12) + drawn(r, "!@#$%^&*", 2) + "7k"),
}
"""Secrets without a form of their own: the name of a variable gives them away."""
