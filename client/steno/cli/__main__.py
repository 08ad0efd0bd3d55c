"""``python -m steno.cli``: the same as ``steno``."""

import sys

from steno.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
