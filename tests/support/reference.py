"""The program that makes the API reference; it belongs to no package."""

import importlib.util
from typing import Any

from support.running import ROOT


def reference_maker() -> Any:
    """Return ``tools/make_reference.py`` as a module."""
    place = ROOT / "tools" / "make_reference.py"
    found = importlib.util.spec_from_file_location("make_reference", place)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
