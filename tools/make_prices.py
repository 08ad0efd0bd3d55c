"""Writes the price list that the daemon ships, from the installed package ``genai-prices``.

``make prices`` runs it in an environment of its own. What is kept is what a count of text tokens
can be priced by: providers whose models bear names of their own, and hosts that a name can say.
Prices by the request, the hour or the picture are left out with their models: half of a price
would look like a whole one.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

PACKAGE = "genai-prices"
SOURCE = "https://github.com/pydantic/genai-prices"
NOTICE = "Copyright (c) Pydantic Services Inc. 2025 to present; MIT License, see LICENSE."
TARGET = Path(__file__).resolve().parents[1] / "daemon/stenod/prices/model_prices.json"

HOSTS = ("aws", "azure", "groq", "together", "openrouter", "zai")
"""Providers of others' models that a name can say: ``azure/gpt-5``, ``us.anthropic.claude-…``."""
LEFT_OUT = ("elevenlabs", "voyageai", "typesafe")
"""Providers of sound and of embeddings."""
BUCKETS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
}
NOT_BY_TOKEN = frozenset({"requests_kcount", "audio_hours", "input_audio_hours", "input_mchars"})


def main() -> int:
    """Write the list, or say on standard error what it could not make of the source."""
    parser = argparse.ArgumentParser(description=__doc__)
    today = datetime.now(UTC).date().isoformat()
    parser.add_argument("--date", default=today, help="day of the snapshot")
    args = parser.parse_args()
    providers = import_module("genai_prices.data").providers
    release = metadata.version(PACKAGE)
    told = [_provider(each) for each in providers if _is_kept(each)]
    header = {
        "version": f"{PACKAGE}-{release}",
        "date": args.date,
        "source": SOURCE,
        "notice": NOTICE,
        "unit": "US dollars per million tokens",
    }
    TARGET.write_text("".join(_lines(header, told)), encoding="utf-8")
    models = sum(len(each["models"]) for each in told)
    print(f"{TARGET.name}: {models} models of {len(told)} providers from {PACKAGE} {release}")
    return 0


def _is_kept(provider: Any) -> bool:
    if provider.id in LEFT_OUT:
        return False
    return provider.model_match is not None or provider.id in HOSTS


def _provider(provider: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"id": provider.id}
    if provider.model_match is not None:
        told["makes"] = _clause(provider.model_match)
    if provider.provider_match is not None:
        told["called"] = _clause(provider.provider_match)
    if provider.fallback_model_providers:
        told["also"] = list(provider.fallback_model_providers)
    models = (_model(model) for model in provider.models)
    return told | {"models": [model for model in models if model is not None]}


def _model(model: Any) -> dict[str, Any] | None:
    conditional = model.prices if isinstance(model.prices, list) else [model]
    prices = [_price(each) for each in conditional]
    kept = [price for price in prices if price is not None]
    if len(kept) < len(prices) or not kept:
        return None
    return {"id": model.id, "match": _clause(model.match), "prices": kept}


def _price(conditional: Any) -> dict[str, Any] | None:
    """Return one price with when it holds; later ones in a list go before earlier ones."""
    rates = {name: value for name, value in vars(conditional.prices).items() if value is not None}
    if NOT_BY_TOKEN & rates.keys() or not {"input_mtok", "output_mtok"} <= rates.keys():
        return None
    rates = {name: rates[key] for key, name in BUCKETS.items() if key in rates}
    told = _when(getattr(conditional, "constraint", None))
    told |= {name: _number(getattr(rate, "base", rate)) for name, rate in rates.items()}
    starts = {tier.start for rate in rates.values() for tier in getattr(rate, "tiers", ())}
    if starts:
        told["tiers"] = [_tier(start, rates) for start in sorted(starts)]
    return told


def _when(constraint: Any) -> dict[str, Any]:
    if constraint is None:
        return {}
    if hasattr(constraint, "start_date"):
        return {"since": constraint.start_date.isoformat()}
    times = (constraint.start_time, constraint.end_time)
    if any(time.utcoffset() for time in times):
        raise ValueError(f"a time of day that is not in UTC: {constraint}")
    return {"hours_utc": [time.strftime("%H:%M:%S") for time in times]}


def _tier(start: int, rates: dict[str, Any]) -> dict[str, Any]:
    """Return all rates of a call with more than ``start`` input tokens, cached ones included."""
    told: dict[str, Any] = {"above_tokens": start}
    for name, rate in rates.items():
        reached = [tier.price for tier in getattr(rate, "tiers", ()) if tier.start <= start]
        told[name] = _number(reached[-1] if reached else getattr(rate, "base", rate))
    return told


def _number(price: Any) -> int | float:
    return int(price) if price == int(price) else float(price)


def _clause(clause: Any) -> dict[str, Any]:
    for name in ("starts_with", "ends_with", "contains", "equals", "regex"):
        if hasattr(clause, name):
            return {name: getattr(clause, name)}
    for name in ("or", "and"):
        if hasattr(clause, f"{name}_"):
            return {name: [_clause(each) for each in getattr(clause, f"{name}_")]}
    raise ValueError(f"a rule of an unknown kind: {clause}")


def _lines(header: dict[str, Any], providers: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the file, a line for each model, so that differences can be read."""
    yield "{" + ",\n".join(f"{_json(name)}: {_json(value)}" for name, value in header.items())
    yield ',\n"providers": ['
    for number, provider in enumerate(providers):
        about = {name: value for name, value in provider.items() if name != "models"}
        yield (",\n" if number else "\n") + _json(about)[:-1] + ',"models":[\n'
        yield ",\n".join(_json(model) for model in provider["models"]) + "\n]}"
    yield "\n]}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    sys.exit(main())
