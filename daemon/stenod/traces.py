"""What the log may say of an exception: its kind and its place, never its words.

The words may quote a prompt.
"""

import traceback


def place_of(error: BaseException) -> str:
    """Return the exception's type with the file, line and function that raised it.

    >>> try:
    ...     int("my secret")
    ... except ValueError as error:
    ...     "secret" in place_of(error)
    False
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    last = frames[-1]
    return f"{type(error).__name__} at {last.filename}:{last.lineno} in {last.name}"
