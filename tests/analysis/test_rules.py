"""The analyser: the examples it must get right, and that nothing upsets it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_schema.config import Settings, Tracking
from steno_schema.labels import CATEGORIES, COMPLEXITY_LEVELS, STAGES
from stenod.analysis import tables
from stenod.analysis.analyser import (
    KEYWORDS_MAX,
    LOOKED_AT_CHARS,
    SUMMARY_MAX_CHARS,
    Analyser,
    Analysis,
)

ANALYSER = Analyser(Settings())


def of(prompt: str, output: str = "") -> Analysis:
    return ANALYSER.analyse(prompt, output)


@pytest.mark.parametrize(
    ("prompt", "category"),
    [
        ("Create a database table", "database"),
        ("Optimize the slow query in reports.sql", "database"),
        ("Write a migration that adds a column to the users table", "database"),
        ("build the project", "general"),
        ("please rebuild and guide me", "documentation"),
        ("Improve the UI of the settings screen", "ui_ux"),
        ("Build a React component for the navbar", "frontend"),
        ("Move the worker to a queue in the backend", "backend"),
        ("Create a REST endpoint", "api"),
        ("Fix the SQL error in the users table", "bug_fix"),
        ("It crashes with an exception when I log in", "bug_fix"),
        ("Add a feature to export notes", "feature_request"),
        ("update the README", "documentation"),
        ("Write unit tests for the parser", "testing"),
        ("Deploy to production with docker", "deployment"),
        ("What is the capital of France?", "general"),
        ("Hi", "general"),
        ("東京の天気は?", "general"),
        ("1234 !?", "other"),
        ("", "other"),
        ("make this nicer:\n```css\na { color: red }\n```", "frontend"),
        ("rename it:\n```py\ndatabase.table.migrate(sql)\n```", "general"),
        ("rename database.table.query in my_sql_module()", "general"),
        ('I got this:\nTraceback (most recent call last):\n  File "test.py", line 1', "bug_fix"),
        ("start it\n2026-01-02 10:11:12 INFO deploy database schema", "general"),
        ("## Active file: db/schema.sql\n\n## My request for Codex:\nexplain it", "general"),
        ("shorten it <system-reminder>sql tables exist</system-reminder>", "general"),
        ("Fix the database", "bug_fix"),
        ("why does the table need an index?", "general"),
        ("C", "other"),
        ("/clarify", "other"),
        ("src/app/main.py", "other"),
    ],
)
def test_category(prompt: str, category: str) -> None:
    assert of(prompt).category == category


@pytest.mark.parametrize(
    ("prompt", "complexity"),
    [
        ("Hi", "simple"),
        ("", "simple"),
        ("Create a database table", "simple"),
        (
            (
                "Create a comprehensive REST API with authentication, authorization, caching,"
                " and monitoring capabilities"
            ),
            "complex",
        ),
        ("Please do the following in this module:\n- a b\n- c d\n- e f\n- g h\n", "moderate"),
        (
            "Design a distributed, fault-tolerant queue with consensus, its entire architecture",
            "advanced",
        ),
    ],
)
def test_complexity(prompt: str, complexity: str) -> None:
    assert of(prompt).complexity == complexity


@pytest.mark.parametrize(
    ("prompt", "stage"),
    [
        ("Set up a new project", "initial_setup"),
        ("Add dark mode", "feature_development"),
        ("fix the login", "bug_fixing"),
        ("Refactor the parser into smaller functions", "refactoring"),
        ("Make the import faster, it is slow", "optimization"),
        ("Update the docs", "documentation"),
        ("Write tests for the parser", "testing"),
        ("Deploy it to staging", "deployment"),
        ("Upgrade dependencies to the latest version", "maintenance"),
        ("Hi", None),
    ],
)
def test_stage(prompt: str, stage: str | None) -> None:
    assert of(prompt).stage == stage


@pytest.mark.parametrize(
    ("prompt", "technique"),
    [
        ("Sort these", "zero_shot"),
        ("Think it through and answer", "chain_of_thought"),
        ("Do it step by\nstep please", "chain_of_thought"),
        ("You are a strict reviewer", "role"),
        ("List the files as JSON please", "structured_output"),
        ("Translate. Example: hund -> dog", "few_shot"),
        ("Do:\n1. this\n2. that\n", "decomposition"),
        ("", None),
    ],
)
def test_technique(prompt: str, technique: str | None) -> None:
    assert of(prompt).technique == technique


def test_keywords_are_the_most_frequent_words_that_mean_something() -> None:
    prompt = "The parser fails. Fix the parser so that the tokens of the parser keep their tokens"
    assert of(prompt).keywords == ["parser", "tokens", "fails", "fix", "keep"]
    assert len(of(" ".join(f"word{'x' * n}" for n in range(20))).keywords) == KEYWORDS_MAX


@pytest.mark.parametrize(
    ("output", "summary"),
    [
        ("", None),
        ("```py\nx = 1\n```", None),
        ("I **fixed** the bug. There is more.", "I fixed the bug."),
        ("# Done\n\nSee `main.py` v1.2 now! Bye.", "See main.py v1.2 now!"),
        ("# Done", "Done"),
        ("---\n完了しました。次へ", "完了しました。"),
        ("word " * 100, ("word " * 100)[: SUMMARY_MAX_CHARS - 1].rstrip() + "…"),
    ],
)
def test_summary_is_the_first_sentence(output: str, summary: str | None) -> None:
    assert of("x", output).response_summary == summary


def test_only_the_beginning_is_looked_at() -> None:
    assert of("word " * LOOKED_AT_CHARS + "database sql schema").category == "general"


def test_labels_come_from_the_configuration() -> None:
    tracking = Tracking(
        categories=("security", "data-science", "other"), complexity_levels=("easy", "hard")
    )
    own = Analyser(Settings(tracking=tracking))
    assert own.analyse("Audit the security of it", "").category == "security"
    assert own.analyse("Some data science", "").category == "data-science"
    assert own.analyse("Create a database table", "").category is None
    assert own.analyse("Hi", "").complexity == "easy"
    hard = "A comprehensive distributed kernel with consensus"
    assert own.analyse(hard, "").complexity == "hard"


def test_without_labels_nothing_is_guessed() -> None:
    none = Analyser(Settings(tracking=Tracking(categories=(), complexity_levels=(), stages=())))
    assert none.analyse("fix the bug", "") == Analysis(
        technique="zero_shot", keywords=["fix", "bug"]
    )


def test_a_label_that_is_not_configured_leaves_its_place_to_the_next() -> None:
    fewer = Tracking(categories=("feature_request", "general"))
    prompt = "Add a column to the users table"
    assert of(prompt).category == "database"
    assert Analyser(Settings(tracking=fewer)).analyse(prompt, "").category == "feature_request"


def test_the_rules_speak_of_labels_that_exist() -> None:
    assert {*tables.SUBJECTS, "other"} == set(CATEGORIES)
    assert set(tables.REQUESTS) <= set(tables.SUBJECTS)
    assert set(tables.STAGE_REQUESTS) <= set(tables.STAGES) <= set(STAGES)
    assert {*tables.STAGES, *tables.STAGE_OF_CATEGORY.values()} == set(STAGES)
    assert set(tables.FILE_ENDINGS.values()) <= set(CATEGORIES)


@given(st.text(), st.text())
def test_any_text_gets_labels_of_the_configuration(prompt: str, output: str) -> None:
    guess = of(prompt, output)
    assert guess == of(prompt, output)
    assert guess.category in CATEGORIES
    assert guess.complexity in COMPLEXITY_LEVELS
    assert guess.stage is None or guess.stage in STAGES
    assert len(guess.response_summary or "") <= SUMMARY_MAX_CHARS
