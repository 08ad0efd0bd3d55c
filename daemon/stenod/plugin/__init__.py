"""A person's own function for the analysis of prompts, kept apart from everything it could harm.

``[analysis] plugin = "package.module:function"`` names it. It is called as

    function(prompt: str, output: str, guess: dict) -> dict | None

with the text of an exchange (the first ``host.TEXT_MAX_CHARS`` characters of each), and what the
rules guess: ``category``, ``complexity``, ``technique``, ``stage``, ``keywords``. It returns those
of them that it knows better, and ``follow_up`` if it likes; ``None`` or an empty map leaves
everything to the rules. Labels must be configured ones. The module is found as any other is, or
as a file beside ``config.toml``.

It runs in a process of its own (``host``), after the rules have answered and never in the way of
a write: ``room`` takes prompts that wait, asks, and has the writer store the verdict. A call that
takes too long ends that process; whatever fails, the guess of the rules stays.
"""
