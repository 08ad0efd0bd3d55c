"""What words say about a prompt, as data; ``analysis`` reads it.

A line is how much its words count, then the words: three for one that leaves no doubt, one for a
hint. Words of two are joined by an underscore. A word is also found with a plural ``s``.
"""

CATEGORIES: dict[str, dict[int, str]] = {
    "bug_fix": {
        3: "bug bugfix traceback stacktrace segfault stack_trace not_working doesn't_work"
        " race_condition regression",
        2: "fix error crash exception broken fail failing failed debug wrong hang deadlock"
        " leak panic",
        1: "issue problem why incorrect unexpected missing",
    },
    "database": {
        3: "database db sql sqlite postgres postgresql mysql mariadb mongodb foreign_key"
        " primary_key database_schema stored_procedure",
        2: "schema migration table orm sqlalchemy prisma redis join transaction vacuum wal fts5"
        " index_on upsert",
        1: "query queries index indices column row record insert select",
    },
    "frontend": {
        3: "frontend front-end react vue angular svelte css html tailwind nextjs jsx dom"
        " single-page react_component",
        2: "component browser javascript typescript webpack vite stylesheet client-side spa",
        1: "page button form modal sidebar navbar responsive hook",
    },
    "backend": {
        3: "backend back-end server-side microservice django flask fastapi celery rails laravel"
        " message_queue",
        2: "server middleware daemon worker queue express nestjs spring cron scheduler",
        1: "service authentication session cache async thread socket",
    },
    "api": {
        3: "api rest restful graphql endpoint openapi swagger grpc webhook rest_api",
        2: "http rpc sdk oauth rate_limiting route",
        1: "request response payload client json",
    },
    "ui_ux": {
        3: "ui ux usability accessibility wireframe mockup figma user_interface user_experience"
        " dark_mode",
        2: "layout theme typography animation colour color icon tooltip",
        1: "design spacing font align alignment style screen menu",
    },
    "feature_request": {
        3: "feature feature_request new_feature would_like would_be",
        2: "implement support_for allow enable",
        1: "add create new introduce extend option support",
    },
    "documentation": {
        3: "documentation docs readme docstring changelog tutorial jsdoc document_the",
        2: "document guide comment wiki manual",
        1: "summary notes paragraph",
    },
    "testing": {
        3: "pytest jest vitest unittest unit_test integration_test e2e_test write_test add_test"
        " test_suite test_coverage hypothesis playwright cypress",
        2: "test testing coverage mock fixture tdd assertion",
        1: "assert verify benchmark ci",
    },
    "deployment": {
        3: "deploy deployment docker dockerfile kubernetes k8s helm terraform ansible cd"
        " github_action rollout rollback",
        2: "release publish pipeline nginx production staging systemd container aws gcp azure"
        " provision",
        1: "ship ci server env hosting",
    },
}
"""Where two come out equal, the earlier one is meant."""

STAGES: dict[str, dict[int, str]] = {
    "bug_fixing": {
        3: "bug bugfix traceback not_working doesn't_work",
        2: "fix crash exception broken fail failing failed debug error regression deadlock",
        1: "wrong issue problem why",
    },
    "refactoring": {
        3: "refactor refactoring restructure clean_up cleanup",
        2: "rename simplify extract deduplicate reorganize reorganise rewrite split decouple",
        1: "move tidy modular readable",
    },
    "optimization": {
        3: "optimize optimise optimization optimisation speed_up",
        2: "performance faster slow latency profile profiling throughput memory_usage bottleneck",
        1: "speed memory efficient cache",
    },
    "testing": {
        3: "pytest unittest unit_test integration_test test_suite write_test add_test",
        2: "test testing coverage mock fixture",
        1: "assert verify",
    },
    "documentation": {
        3: "documentation docs readme docstring changelog",
        2: "document comment tutorial guide",
        1: "summary notes",
    },
    "deployment": {
        3: "deploy deployment docker kubernetes rollout rollback",
        2: "release publish production staging pipeline systemd",
        1: "ship ci",
    },
    "initial_setup": {
        3: "scaffold bootstrap set_up new_project boilerplate getting_started",
        2: "setup install initialize initialise init configure",
        1: "template starter skeleton",
    },
    "maintenance": {
        3: "upgrade bump deprecate update_dependencies maintenance",
        2: "dependency dependencies deprecated housekeeping outdated",
        1: "update version lint",
    },
    "feature_development": {
        3: "feature",
        2: "implement create build develop add",
        1: "new support extend allow make write introduce",
    },
}

FILE_ENDINGS: dict[str, str] = {
    "sql": "database",
    "tsx": "frontend",
    "jsx": "frontend",
    "css": "frontend",
    "scss": "frontend",
    "html": "frontend",
    "vue": "frontend",
    "svelte": "frontend",
    "md": "documentation",
    "rst": "documentation",
    "proto": "api",
    "tf": "deployment",
}
"""What a file named in a prompt, or a block of code in that language, is about; counts two."""

TECHNIQUES: dict[str, tuple[str, ...]] = {
    "few_shot": (" example: ", " examples: ", " for example: ", " output: ", " some examples "),
    "chain_of_thought": (
        *(" step by step ", " step-by-step ", " think carefully ", " think hard "),
        *(" think through ", " think it through ", " reason through ", " think about it "),
    ),
    "role": (" you are a ", " you are an ", " act as ", " pretend you ", " pretend to be "),
    "structured_output": (
        *(" as json ", " in json ", " return json ", " only json ", " valid json ", " as yaml "),
        *(" as csv ", " as a table ", " as xml ", " in a table ", " as a markdown table "),
    ),
}
"""What gives a way of asking away, in lower case with single spaces; the first one counts."""
LISTED_TECHNIQUE = "decomposition"
"""A prompt with a list of things to do."""
DEFAULT_TECHNIQUE = "zero_shot"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SCOPE_WORDS = _words("""
    comprehensive complete entire whole end-to-end full-stack production-ready robust scalable
    enterprise architecture redesign rewrite migrate codebase
""")
"""They say that much is asked for."""

CONCERN_WORDS = _words("""
    authentication authorization caching monitoring logging validation testing security
    pagination deployment migration performance encryption backup retry metrics documentation
    concurrency accessibility internationalization permissions notifications search analytics
""")
"""Things a piece of work may have to take care of; several at once make it harder."""

DEEP_WORDS = _words("""
    distributed concurrency concurrent deadlock consensus cryptography cryptographic compiler
    kernel sharding replication multi-tenant microservices lock-free transformer neural
    parallelize parallelise optimizer simulation real-time fault-tolerant raft
""")
"""Subjects that are hard in themselves."""

LEAD_INS = _words("""
    please can could would you i we want need to let's lets let us now also and then ok okay so
    hi hello hey i'd like help me
""")
"""They stand before the verb a request begins with."""

STOP_WORDS = _words("""
    a about above after again all also am an and any are as at be because been before being but
    by can can't could did do does doesn't doing don't down each everything few for from further
    get gets give go had has have having he her here hers him his how i i'd i'll i'm i've if in
    into is isn't it it's its just let let's like make makes me more most my need needs no nor
    not now of off ok okay on once one only or other our out over own please put same see she
    should so some something still such sure take than thank thanks that that's the their them
    then there these they thing things this those through to too two under until up us use used
    uses using very want was way we were what what's when where which while who whom why will
    with without won't would yes you you're your yours
""")
"""Never keywords."""
