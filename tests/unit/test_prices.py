"""Prices: known models cost what their makers publish, at their time; the unknown cost nothing."""

import importlib.util
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import pytest

from steno_schema.config import OwnPrice
from stenod.prices.pricelist import Counts, PriceFile, PriceList, Quote, shipped
from tidy.tree import ROOT

PRICES = PriceList()
LATE_2025 = datetime(2025, 12, 1, tzinfo=UTC)
ONE_CALL = Counts(1000, 100, 2000, 300, 200, 100)


def quote(
    name: str, counts: Counts = ONE_CALL, at: datetime = LATE_2025, prices: PriceList = PRICES
) -> Quote | None:
    return prices.quote(name, counts, int(at.timestamp() * 1000))


def rates(name: str, counts: Counts = ONE_CALL, at: datetime = LATE_2025) -> tuple[float, ...]:
    """Return input, output, cache read, cache write, cache write for an hour."""
    found = quote(name, counts, at)
    assert found is not None, name
    return tuple(float(rate) for rate in found[3:8])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("claude-opus-4-20250514 claude-opus-4-1-20250805", (15, 75, 1.5, 18.75, 30)),
        ("claude-opus-4-5-20251101 claude-opus-4-5", (5, 25, 0.5, 6.25, 10)),
        (
            "claude-sonnet-4-20250514 claude-sonnet-4-5-20250929 claude-sonnet-4.5[1m]",
            (3, 15, 0.3, 3.75, 6),
        ),
        (
            "claude-3-7-sonnet-20250219 anthropic/claude-sonnet-4-5",
            (3, 15, 0.3, 3.75, 6),
        ),
        ("claude-haiku-4-5-20251001 claude-haiku-4.5", (1, 5, 0.1, 1.25, 2)),
        ("claude-3-5-haiku-20241022", (0.8, 4, 0.08, 1, 1.6)),
        # Of OpenAI and Google no cache write is charged apart: it counts as input.
        (
            "gpt-5 gpt-5-codex gpt-5.1-codex gpt-5-2025-08-07 openai/gpt-5",
            (1.25, 10, 0.125, 1.25, 1.25),
        ),
        ("gpt-5-mini gpt-5.1-codex-mini", (0.25, 2, 0.025, 0.25, 0.25)),
        ("gpt-5.2 gpt-5.2-codex gpt-5.2-20251211", (1.75, 14, 0.175, 1.75, 1.75)),
        (
            "gemini-2.5-pro gemini/gemini-2.5-pro models/gemini-2.5-pro",
            (1.25, 10, 0.125, 1.25, 1.25),
        ),
        ("gemini-2.5-flash", (0.3, 2.5, 0.03, 0.3, 0.3)),
        ("gemini-3-pro-preview", (2, 12, 0.2, 2, 2)),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", (3.3, 16.5, 0.33, 4.125, 6.6)),
    ],
)
def test_known_models(names: str, expected: tuple[float, ...]) -> None:
    assert {name: rates(name) for name in names.split()} == dict.fromkeys(names.split(), expected)


@pytest.mark.parametrize(
    "name",
    ["", "m", "<synthetic>", "gpt-99", "claude", "somewhere/gpt-5", "gpt-5/", "/", "x" * 5000],
)
def test_an_unknown_model_has_no_price(name: str) -> None:
    assert quote(name) is None


def test_every_bucket_is_charged_once() -> None:
    found = quote("claude-opus-4-5")
    assert found is not None
    assert found.cost_usd(ONE_CALL) == pytest.approx(
        (1000 * 5 + 100 * 25 + 2000 * 0.5 + 200 * 6.25 + 100 * 10) / 1e6, abs=1e-15
    )
    # What is untold of the writes is charged as the cheaper kind, told parts without a whole too.
    assert found.cost_usd(Counts(0, 0, 0, 300, 0, 100)) == (200 * 6.25 + 100 * 10) / 1e6
    assert found.cost_usd(Counts(0, 0, 0, 0, 200, 100)) == (200 * 6.25 + 100 * 10) / 1e6


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (Counts(200_000, 1, 0, 0, 0, 0), (3, 15, 0.3, 3.75, 6)),
        (Counts(200_001, 1, 0, 0, 0, 0), (6, 22.5, 0.6, 7.5, 12)),
        (Counts(1, 1, 199_000, 1000, 0, 0), (6, 22.5, 0.6, 7.5, 12)),
        (Counts(1, 900_000, 0, 0, 0, 0), (3, 15, 0.3, 3.75, 6)),
    ],
)
def test_long_inputs_are_charged_by_their_tier(counts: Counts, expected: tuple[int, ...]) -> None:
    """Everything that is read in counts for the tier, cached or not; what is written does not."""
    assert rates("claude-sonnet-4-5", counts) == expected
    found = quote("claude-sonnet-4-5", counts)
    assert found is not None
    assert found.above_tokens == (200_000 if expected[0] == 6 else 0)


def test_a_price_is_that_of_its_day() -> None:
    long = Counts(300_000, 1, 0, 0, 0, 0)
    before, after = (
        datetime(2026, 3, 12, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 13, tzinfo=UTC),
    )
    assert rates("claude-sonnet-4-6", long, before)[0] == 6
    assert rates("claude-sonnet-4-6", long, after)[0] == 3


def test_a_price_may_be_that_of_an_hour() -> None:
    at_noon, at_night = datetime(2025, 3, 1, 12, tzinfo=UTC), datetime(2025, 3, 1, 20, tzinfo=UTC)
    assert rates("deepseek-chat", at=at_noon)[:2] == (0.27, 1.1)
    assert rates("deepseek-chat", at=at_night)[:2] == (0.135, 0.55)


def test_own_prices_go_first_the_exact_name_before_patterns() -> None:
    own = PriceList(
        {
            "GPT-5": OwnPrice(input=1, output=2, cache_read=0.5, cache_write=3),
            "gpt-*": OwnPrice(input=7, output=7),
            "gpt-5*": OwnPrice(input=8, output=8),
            "local/*": OwnPrice(input=0, output=0),
        }
    )
    found = {name: quote(name, prices=own) for name in ("gpt-5", "gpt-5-mini", "gpt-4.1")}
    assert [each and tuple(map(float, each[3:8])) for each in found.values()] == [
        (1, 2, 0.5, 3, 3),
        (8, 8, 8, 8, 8),
        (7, 7, 7, 7, 7),
    ]
    assert {each and each.version for each in found.values()} == {"config.toml"}
    free = quote("local/llama", prices=own)
    assert free is not None
    assert free.cost_usd(ONE_CALL) == 0
    assert own.key != PRICES.key
    assert quote("claude-haiku-4-5", prices=own) == quote("claude-haiku-4-5")


def test_the_shipped_list_is_dated_and_says_where_it_is_from() -> None:
    prices = shipped()
    assert prices.version.startswith("genai-prices-")
    assert date(2025, 1, 1) < prices.date < date(2100, 1, 1)
    assert "MIT" in prices.notice
    assert "Copyright (c) Pydantic Services" in (ROOT / "LICENSE").read_text()


def test_every_shipped_price_is_sane() -> None:
    for provider in shipped().providers:
        for model in provider.models:
            for price in model.prices:
                for each in (price, *price.tiers):
                    known = (each.cache_read, each.cache_write, each.cache_write_1h)
                    sums = [each.input, each.output, *(rate for rate in known if rate is not None)]
                    assert all(0 <= rate <= 1000 for rate in sums), (provider.id, model.id)
                tiers = [tier.above_tokens for tier in price.tiers]
                assert tiers == sorted(set(tiers))


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_prices", ROOT / "tools/make_prices.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(*models: Any) -> PriceFile:
    """Return what the generator makes of a provider with these models."""
    make = generator()
    provider = SimpleNamespace(
        id="maker",
        model_match=SimpleNamespace(contains="m"),
        provider_match=None,
        fallback_model_providers=None,
        models=list(models),
    )
    header = {"version": "v", "date": "2026-01-01", "source": "", "notice": "", "unit": ""}
    text = "".join(make._lines(header, [make._provider(provider)]))
    assert json.loads(text)["providers"][0]["id"] == "maker"
    return msgspec.json.decode(text, type=PriceFile)


def price(**rates: Any) -> SimpleNamespace:
    return SimpleNamespace(**rates)


def test_the_generator_keeps_tiers_days_and_hours() -> None:
    tiered = SimpleNamespace(
        base=Decimal("0.1"), tiers=[SimpleNamespace(start=1000, price=Decimal("0.5"))]
    )
    conditional = [
        SimpleNamespace(prices=price(input_mtok=tiered, output_mtok=Decimal(2)), constraint=None),
        SimpleNamespace(
            prices=price(input_mtok=Decimal(3), output_mtok=Decimal(4)),
            constraint=SimpleNamespace(start_date=date(2026, 3, 13)),
        ),
        SimpleNamespace(
            prices=price(input_mtok=Decimal(5), output_mtok=Decimal(6)),
            constraint=SimpleNamespace(
                start_time=time(0, 30, tzinfo=UTC), end_time=time(16, 30, tzinfo=UTC)
            ),
        ),
    ]
    match = SimpleNamespace(or_=[SimpleNamespace(equals="m"), SimpleNamespace(regex="^m-\\d$")])
    model = made(SimpleNamespace(id="m", match=match, prices=conditional)).providers[0].models[0]
    first, second, third = model.prices
    (tier,) = first.tiers
    assert (str(first.input), str(first.output)) == ("0.1", "2")
    assert (tier.above_tokens, str(tier.input), str(tier.output)) == (1000, "0.5", "2")
    assert (second.since, third.hours_utc) == (date(2026, 3, 13), (time(0, 30), time(16, 30)))
    assert model.match.matches("m-1")


@pytest.mark.parametrize(
    "rates",
    [
        {"input_mtok": Decimal(1)},
        {"input_mtok": Decimal(1), "output_mtok": Decimal(1), "requests_kcount": Decimal(5)},
    ],
)
def test_the_generator_leaves_out_half_a_price(rates: dict[str, Any]) -> None:
    match = SimpleNamespace(equals="m")
    model = SimpleNamespace(id="m", match=match, prices=price(**rates))
    assert made(model).providers[0].models == ()
