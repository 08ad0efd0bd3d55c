"""Writes ``docs/reference.md``: every public function of ``steno``, from its docstring.

It reads source, not objects: signatures stand as they were written, and nothing is imported.
``python tools/make_reference.py --check`` says whether the page is up to date.
"""

import ast
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "client" / "steno"
SCHEMA = ROOT / "schema" / "steno_schema"
TARGET = ROOT / "docs" / "reference.md"
HEAD = """\
# Reference

Every public function of the Python package `steno`, made from the docstrings by `make reference`.

`Client` waits for the daemon, `AsyncClient` has the same verbs with `await`. Times are ISO-8601 text,
dates or `datetime`s (without a zone: local); durations say their unit in their name. Without a daemon
writes are kept in the spool and reads raise `Unreachable`. Everything that is raised is a
`StenoError`: a sentence of what was wrong, and a `hint` of what to do.
"""


class Part(NamedTuple):
    """A class whose public functions are told of, and how one calls them.

    ``functions``: top-level functions of the module instead of a class. ``is_made``: its callers
    make it themselves, so that its constructor is one of them.
    """

    title: str
    module: str
    name: str = ""
    call: str = ""
    functions: tuple[str, ...] = ()
    is_made: bool = False


class Described(NamedTuple):
    """One function of the page."""

    call: str
    signature: str
    doc: str
    place: str


NAMESPACES = ("history", "sessions", "conversations", "messages", "agents", "routing", "costs",
              "preferences", "patterns", "handoffs", "metrics", "tasks", "commands", "errors",
              "workflow", "metadata", "admin")  # fmt: skip
PARTS = (
    Part("Client", "client.py", "Client", "client", is_made=True),
    Part("Verbs of the client itself", "root.py", "Root", "client"),
    *(
        Part(f"client.{name}", f"namespaces/{name}.py", name.capitalize(), f"client.{name}")
        for name in NAMESPACES
    ),
    Part("client.history: files", "namespaces/files.py", "Files", "client.history"),
    Part("Subscription", "client.py", "Subscription", "subscription"),
    Part("Batch", "batch.py", "Batch", "batch"),
    Part("AsyncClient", "aclient.py", "AsyncClient", "client", is_made=True),
    Part("AsyncSubscription", "aclient.py", "AsyncSubscription", "subscription"),
    Part("AsyncBatch", "batch.py", "AsyncBatch", "batch"),
    Part("PromptHistory", "prompt_history.py", "PromptHistory", "history", is_made=True),
    Part("track_prompt", "tracking/prompts.py", functions=("track_prompt",)),
    Part("track_execution", "tracking/run.py", functions=("track_execution",)),
    Part("Run", "tracking/run.py", "Run", "run"),
    Part("Tracker", "tracking/callbacks.py", "Tracker", "tracker", is_made=True),
    Part("Settings of tracking", "tracking/current.py", functions=("configure", "flush")),
    Part("ASGIMiddleware", "middleware/asgi.py", "ASGIMiddleware", "middleware", is_made=True),
    Part("WSGIMiddleware", "middleware/wsgi.py", "WSGIMiddleware", "middleware", is_made=True),
)
WORDS: dict[str, tuple[str, ...]] = {
    "filters.py": ("FilterWords",),
    "exchanges.py": ("ExchangeFields",),
}
"""Keywords that many verbs take."""
RESULTS = (
    "results.py",
    "root.py",
    "transfer/taking.py",
    *(f"namespaces/{name}.py" for name in NAMESPACES),
)
REPLIES: dict[str, tuple[str, ...]] = {
    "replies.py": ("ExchangeView", "MessageView", "SearchResult", "Statistics", "Table", "Event"),
    "records.py": ("Tokens",),
}
ERRORS = "errors.py"
NOT_FOR_CALLERS = {"Run": {"begin", "enter", "leave", "end", "take"}}
"""Public to the package's own rooms only."""

_COLUMNS = 100
_WORDS_TITLE = "Words that many verbs take"
_RESULTS_TITLE = "What verbs return"
_ERRORS_TITLE = "Errors"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def page() -> str:
    """Return the whole page."""
    titles = [part.title for part in PARTS] + [_WORDS_TITLE, _RESULTS_TITLE, _ERRORS_TITLE]
    lines = [HEAD, *(f"- [{title}](#{_anchor(title)})" for title in titles), ""]
    for part in PARTS:
        lines += [f"## {part.title}", "", *_told(class_doc(part))]
        for function in described(part):
            lines += [f"### `{function.call}`", "", "```python", function.signature, "```", ""]
            lines += _told(function.doc)
    lines += [f"## {_WORDS_TITLE}", ""]
    for module, names in WORDS.items():
        lines += _fields(item for item in _classes(module) if item.name in names)
    lines += [f"## {_RESULTS_TITLE}", ""]
    for module, names in REPLIES.items():
        lines += _fields(item for item in _classes(module, SCHEMA) if item.name in names)
    for module in RESULTS:
        lines += _fields(item for item in _classes(module) if _is_result(item))
    lines += [f"## {_ERRORS_TITLE}", ""]
    for item in _classes(ERRORS):
        lines += [f"### `{item.name}`", "", *_told(_doc(item))]
    return "\n".join(lines).rstrip() + "\n"


def described(part: Part) -> Iterator[Described]:
    """Yield the public functions of a part, the class itself first."""
    if part.functions:
        for item in _body(part.module):
            if not isinstance(item, Function) or _has(item, "overload"):
                continue
            if item.name in part.functions:
                yield _function(part, item, f"steno.tracking.{item.name}", item.name)
        return
    kind = _class(part)
    for item in kind.body:
        if not isinstance(item, Function) or _has(item, "property", "cached_property", "overload"):
            continue
        if item.name in NOT_FOR_CALLERS.get(part.name, ()):
            continue
        if item.name == "__init__" and part.is_made:
            yield _function(part, item, part.name, part.name, doc=_doc(kind))
        elif not item.name.startswith("_"):
            call = f"{part.call}.{item.name}"
            yield _function(part, item, call, item.name)


def class_doc(part: Part) -> str:
    """Return the docstring of a class that its callers do not make; others' constructors have it."""
    return "" if part.functions or part.is_made else _doc(_class(part))


def _anchor(title: str) -> str:
    """Return the name that a heading has in a link, as code hosts make it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def example(doc: str) -> str:
    """Return the code of a docstring's example, nothing if it has none."""
    found = re.search(r"^Example::\n\n((?:[ ]{4}.*\n?|\n)+)", doc, flags=re.MULTILINE)
    return textwrap.dedent(found[1]).strip() if found else ""


def _function(part: Part, item: Function, call: str, name: str, doc: str = "") -> Described:
    place = f"{part.module}:{item.lineno}"
    own = _doc(item) or doc
    return Described(call, _signature(item, name, _constants(part.module)), own, place)


def _signature(item: Function, name: str, constants: dict[str, str]) -> str:
    written = [_argument(each, constants) for each in _arguments(_code(item.args))]
    arguments = [each for each in written if each not in {"self", ""}]
    returns = "" if item.returns is None else _code(item.returns).strip('"')
    returns = re.sub(r"^Steps\[(.*)\]$", r"\1", returns)
    arrow = f" -> {returns}" if returns and returns != "None" else ""
    prefix = "async " if isinstance(item, ast.AsyncFunctionDef) else ""
    whole = f"{prefix}{name}({', '.join(arguments)}){arrow}"
    if len(whole) <= _COLUMNS:
        return whole
    return "\n".join([f"{prefix}{name}(", *(f"    {each}," for each in arguments), f"){arrow}"])


def _constants(module: str) -> dict[str, str]:
    """Return the module's constants that are plain values: what a default of that name means."""
    return {
        _code(item.targets[0]): _code(item.value)
        for item in [*_body("client.py"), *_body(module)]
        if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant)
    }


def _argument(text: str, constants: dict[str, str]) -> str:
    """Return an argument as a formatter writes it, with the value of its default."""
    annotated = re.fullmatch(r"([*\w]+: .*?)=(.*)", text)
    if annotated is None:
        return text
    return f"{annotated[1]} = {constants.get(annotated[2], annotated[2])}"


def _arguments(text: str) -> Iterator[str]:
    """Yield the arguments of a signature, at the commas that are in no bracket."""
    depth, start = 0, 0
    for place, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            yield text[start:place].strip()
            start = place + 1
    yield text[start:].strip()


def _told(doc: str) -> list[str]:
    """Return a docstring as Markdown: literals, its example as code."""
    if not doc:
        return []
    lines: list[str] = []
    code = False
    for line in doc.split("\n"):
        if re.fullmatch(r"Examples?::", line):
            lines.append("```python")
            code = True
        elif code and line and not line.startswith("    "):
            lines = [*_without_last_blank(lines), "```", "", _prose(line)]
            code = False
        elif code:
            if line or lines[-1] != "```python":
                lines.append(line[4:])
        elif line.startswith(">>>"):
            break  # for the tests; people have the example
        else:
            lines.append(_prose(line))
    if code:
        lines = [*_without_last_blank(lines), "```"]
    return [*lines, ""]


def _prose(line: str) -> str:
    return line.replace("``", "`")


def _without_last_blank(lines: list[str]) -> list[str]:
    return lines[:-1] if lines and not lines[-1] else lines


def _is_result(item: ast.ClassDef) -> bool:
    return bool(
        {ast.unparse(base).split("[")[0] for base in item.bases} & {"Struct", "list", "Page"}
    )


def _fields(classes: Iterable[ast.ClassDef]) -> list[str]:
    lines: list[str] = []
    for item in classes:
        lines += [f"### `{item.name}`", "", *_told(_doc(item))]
        fields = [each for each in item.body if isinstance(each, ast.AnnAssign)]
        if fields:
            told = (f"{_code(each.target)}: {_code(each.annotation)}" for each in fields)
            lines += ["```python", *told, "```", ""]
    return lines


def _body(module: str, package: Path = PACKAGE) -> list[ast.stmt]:
    return ast.parse((package / module).read_text(encoding="utf-8")).body


def _classes(module: str, package: Path = PACKAGE) -> Iterator[ast.ClassDef]:
    for item in _body(module, package):
        if isinstance(item, ast.ClassDef) and not item.name.startswith("_"):
            yield item


def _class(part: Part) -> ast.ClassDef:
    return next(item for item in _classes(part.module) if item.name == part.name)


def _code(item: ast.AST) -> str:
    """Return source with the quotes that a formatter writes."""
    return ast.unparse(item).replace("'", '"')


def _doc(item: Function | ast.ClassDef) -> str:
    return ast.get_docstring(item) or ""


def _has(item: Function, *decorators: str) -> bool:
    return any(ast.unparse(each) in decorators for each in item.decorator_list)


def main() -> int:
    """Write the page, or with ``--check`` tell whether it is what it should be."""
    made = page()
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == made else 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
