"""What words say about a prompt, as data; ``rules`` makes them quick to look up.

A line is how much its words count, then the words: four for one that leaves no doubt, one for a
hint. Words of two are joined by an underscore. A word is also found with a plural ``s``; it is
found as a whole only ("build" holds no "ui"), and counts once however often it stands.
"""

Points = dict[int, str]

SUBJECTS: dict[str, Points] = {
    "bug_fix": {
        4: "bug bugfix segfault stack_trace not_working doesn't_work does_not_work not_work"
        " isn't_working race_condition regression debug deadlock",
        3: "crash crashes crashed broken fails failing failed throws hangs leak stuck_in"
        " is_wrong this_error following_error not_visible artifacts",
        2: "error exception incorrect unexpected panic failure issue problem wrong not_see"
        " missing investigate doesn't isn't correctly incorrectly",
        1: "why",
    },
    "database": {
        4: "database db sql sqlite postgres postgresql mysql mariadb mongodb foreign_key"
        " primary_key database_schema stored_procedure flyway jpa",
        3: "migration orm sqlalchemy prisma upsert fts5",
        2: "schema table join transaction vacuum wal index_on redis repository_class",
        1: "query queries column row record",
    },
    "frontend": {
        4: "frontend front-end react vue angular svelte css tailwind nextjs jsx dom"
        " single-page single_page react_component webpage website web_page landing_page",
        3: "html browser component tree_view navbar sidebar",
        2: "javascript webpack vite stylesheet client-side spa webview",
        1: "page button form modal responsive hook typescript view",
    },
    "backend": {
        4: "backend back-end server-side microservice django flask fastapi celery rails laravel"
        " springboot spring_boot message_queue nestjs",
        3: "server middleware daemon worker",
        2: "queue express cron scheduler spring",
        1: "service session cache async thread socket",
    },
    "api": {
        4: "api rest restful graphql endpoint openapi swagger grpc webhook rest_api rest-api",
        2: "http rpc sdk oauth rate_limiting route",
        1: "request response payload json",
    },
    "ui_ux": {
        4: "ui ux usability accessibility wireframe mockup figma user_interface user_experience"
        " status_bar user_message output_text dark_mode dark_theme light_theme theme toast crosshair",
        3: "layout typography animation colour color icon tooltip font logo tree_view cursor"
        " border padding dimmer brighter",
        2: "spacing align alignment style screen menu header footer bg background dark light"
        " footer photo panel friendlier friendly clicking width scroll message",
        1: "design look looks button warning bullet link blue red green gray",
    },
    "documentation": {
        5: "readme changelog docstring readme.md changelog.md contributing.md license.md"
        " agents.md claude.md",
        4: "documentation docs jsdoc doc contribution_guide step_guide",
        3: "tutorial guide document wiki manual license",
        1: "comment notes paragraph summary",
    },
    "testing": {
        5: "add_test write_test unit_test integration_test e2e_test test_suite test_coverage a_test",
        4: "pytest jest vitest unittest hypothesis cypress",
        3: "test testing coverage fixture tdd assertion playwright",
        2: "mock",
        1: "assert verify benchmark",
    },
    "deployment": {
        4: "deploy deployment dockerfile kubernetes k8s helm terraform ansible rollout rollback"
        " new_release release_version",
        3: "docker release publish nginx systemd paas",
        2: "pipeline production staging container aws gcp azure provision hosting ci",
        1: "ship cd env",
    },
    "feature_request": {
        3: "feature_request new_feature support_for",
        2: "feature should otherwise option param arg argument flag must",
        1: "new instead automatically only command i'd_like would_like",
    },
    "general": {
        4: "build_the run_the",
        2: "question git repo",
        1: "commit push branch pr merge rebase stash",
    },
}
"""What a prompt is about, wherever the word stands. Of equals the earlier one is meant."""

REQUESTS: dict[str, Points] = {
    "bug_fix": {4: "fix debug resolve solve repair troubleshoot mend", 3: "investigate catch"},
    "feature_request": {
        3: "add implement create build develop introduce extend enable allow support",
        2: "make use include have show print display handle detect adjust change"
        " update set generate write provide accept take put list",
    },
    "database": {2: "insert query migrate"},
    "documentation": {3: "document"},
    "deployment": {3: "deploy release publish ship"},
    "testing": {3: "test"},
    "general": {
        4: "thanks rename commit push merge pull rebase sleep reply respond explain review continue",
        3: "remove delete move refactor extract split simplify restructure explore read check"
        " tell describe brainstorm plan analyze analyse summarize run study go give try stop",
    },
}
"""What a word asks for where a request begins: at the start of a sentence, or after "please"."""

STAGES: dict[str, Points] = {
    "bug_fixing": {3: "bug bugfix traceback regression", 2: "crash broken fails failing"},
    "refactoring": {
        4: "refactor refactoring restructure clean_up cleanup misnamed mis-named duplicated"
        " code-simplifier get_rid rid_of",
        3: "rename simplify extract deduplicate reorganize reorganise rewrite decouple"
        " same_function",
        1: "readable modular tidy",
    },
    "optimization": {
        4: "optimize optimise optimization optimisation speed_up",
        3: "performance faster slow latency profile profiling throughput memory_usage bottleneck"
        " reduce_size the_size",
        1: "speed efficient",
    },
    "initial_setup": {
        4: "scaffold bootstrap set_up new_project boilerplate getting_started project_structure"
        " new_repo git_repo initialize initialise",
        3: "setup install init configure",
        1: "template starter skeleton",
    },
    "maintenance": {
        4: "upgrade bump deprecate maintenance lint linter",
        3: "dependency dependencies deprecated housekeeping outdated",
    },
}
"""Stages that words tell apart from what the category alone says."""

STAGE_REQUESTS: dict[str, Points] = {
    "refactoring": {4: "move remove delete drop split", 3: "rename refactor extract"},
    "initial_setup": {4: "install configure scaffold initialize init setup"},
    "maintenance": {3: "upgrade bump"},
}

STAGE_OF_CATEGORY = {
    "bug_fix": "bug_fixing",
    "documentation": "documentation",
    "testing": "testing",
    "deployment": "deployment",
    "feature_request": "feature_development",
}
"""The stage where its words tell none; other categories need a request as well."""
TALK = ("general", "other")
STAGE_OF_REQUEST = "feature_development"

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
    "test_": "testing",
}
"""What a file named in a prompt, or a block of code in that language, is about; ``test_`` is how
names of tests begin."""
FILE_POINTS = 2
URGENT_POINTS = 4
"""From so many on, what is broken comes before what it is a part of."""
URGENT = "bug_fix"
PARTS = ("database", "frontend", "backend", "api", "ui_ux")
ERROR_POINTS = 4
"""A pasted error, for ``bug_fix``."""

QUESTION_POINTS = 3
"""A question is talk (``general``) unless it is clearly about something else."""

TECHNIQUES: dict[str, tuple[str, ...]] = {
    "few_shot": (" example: ", " examples: ", " for example: ", " example <", " some examples "),
    "chain_of_thought": (
        *(
            " do it step by step",
            " think step by step",
            " step by step please",
            " think carefully",
        ),
        *(" think hard", " think through", " think it through", " reason through"),
        *(" think about it ", " think deeply", " to think and", " <think>", " ultrathink"),
        *(" search deeply", " step-by-step reasoning", " let's think"),
    ),
    "role": (
        *(" you are a ", " you are an ", " act as ", " pretend you ", " pretend to be "),
        *(" persona ", " since you are the master "),
    ),
    "structured_output": (
        *(" as json ", " in json ", " return json ", " only json ", " valid json ", " as yaml "),
        *(" as csv ", " as a table ", " as xml ", " in a table ", " as a markdown table "),
    ),
}
"""What gives a way of asking away, in lower case with single spaces; the first one counts."""
LISTED_TECHNIQUE = "decomposition"
"""A prompt with a list of things to do."""
LISTED_FROM_ITEMS = 2
DEFAULT_TECHNIQUE = "zero_shot"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


QUESTION_WORDS = _words("""
    what how why is are was were does did isn't would which who where should can could will has
    have
""")
"""First words that ask, unless ``POLITE`` ones ask for something to be done (``ASKED``)."""
POLITE = _words("can could would will")
ASKED = _words("you we u i")

SCOPE_WORDS = _words("""
    comprehensive end-to-end full-stack production-ready robust scalable
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

PART_WORDS = _words("""
    feature features investigate design designing backend improvements system several
    workflow complete entire whole website animations recursively deeply
""")
"""A hint that there is more than one thing to do, or something to be found out."""

LEAD_INS = _words("""
    please can could would you i we want need to let's lets let us now also and then ok okay so
    hi hello hey i'd like help me great yes just quickly first alright or nono well go pls wanna
    us try thanks no
""")
"""They may stand before the verb a request begins with."""

OPENERS = _words("please pls and then also let's lets just now")
"""A request may begin after them, wherever they stand."""
OPENING_PAIRS = _words("""
    can_you could_you would_you can_u can_we could_we want_to need_to like_to wanna_to
    help_me try_to
""")
"""So it may after these."""

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
