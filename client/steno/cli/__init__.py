"""The command line: ``steno COMMAND …``; nothing here is loaded before it is needed."""

from steno.cli.main import main

__all__ = ["main"]
