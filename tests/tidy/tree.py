"""The files of this checkout, for tests that read them."""

import subprocess
import tokenize
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "schema": ROOT / "schema" / "steno_schema",
    "client": ROOT / "client" / "steno",
    "daemon": ROOT / "daemon" / "stenod",
}


@cache
def files() -> tuple[Path, ...]:
    """Return every file that is tracked, or would be by ``git add``; all without git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = listed.stdout.decode("utf-8", "surrogateescape").split("\0")
        found = [ROOT / name for name in names if name]
    else:
        tops = [*PACKAGES.values(), ROOT / "tests", ROOT / "systemd"]
        found = [path for top in tops for path in top.rglob("*")]
        found += [path for path in ROOT.iterdir() if path.is_file()]
        found = [path for path in found if "__pycache__" not in path.parts]
    return tuple(sorted(path for path in found if path.is_file()))


def python_files() -> tuple[Path, ...]:
    return tuple(path for path in files() if path.suffix == ".py")


def text(path: Path) -> str:
    """Return a file's text; bytes that are no text stand as replacement characters."""
    if path.suffix == ".py":
        with tokenize.open(path) as file:
            return file.read()
    return path.read_text(encoding="utf-8", errors="replace")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
