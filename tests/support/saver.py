"""A process that saves exchanges and says, a line each, what became of them.

``saver.py HOME NAME COUNT``: COUNT saves, or with 0 one for each line of standard input. It says
the number of the save, its id, and who has it (``daemon`` or ``spool``).
"""

import sys
from collections.abc import Iterable

from steno import Client


def main(home: str, name: str, count: int) -> None:
    """Save, one after the other."""
    wanted: Iterable[object] = range(count) if count else sys.stdin
    with Client(home=home) as client:
        for number, _ in enumerate(wanted):
            saved = client.history.save(
                f"{name} asks {number}", f"answer {number}", session=f"saver-{name}"
            )
            sys.stdout.write(f"{number} {saved.id} {saved.stored}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
