"""``python -m steno.capture``: the watcher process, started by the daemon."""

import logging
import os
import sys
from functools import partial

from steno.capture.agents import roots
from steno.capture.ingest import Ingest
from steno.capture.ledger import Ledger
from steno.capture.projects import Projects
from steno.capture.rederive import rederive
from steno.capture.watcher import Watcher
from steno.client import Client
from steno_schema import config, paths

NICENESS = 5
TIMEOUT_S = 60.0


def main() -> int:
    """Watch until the daemon closes standard input."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s level=%(levelname)s at=%(name)s %(message)s",
        stream=sys.stderr,
    )
    os.umask(0o077)
    os.nice(NICENESS)
    where = paths.resolve()
    settings = config.load(where).settings
    socket = os.environ.get("STENO_WATCHER_SOCKET") or str(where.socket)
    with Client(socket=socket, timeout_s=TIMEOUT_S, spool=False) as client:
        ledger = Ledger(client)
        projects = Projects(settings.capture.ignore)
        Watcher(
            client,
            Ingest(client, ledger, projects, redact=settings.redaction.enabled),
            ledger,
            roots(where, settings.capture),
            settings.capture,
            partial(rederive, client, ledger, projects),
        ).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
