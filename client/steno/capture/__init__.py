"""Capture: the watcher that reads what coding agents write, and the parsers it reads with.

``agent`` is the interface a new agent fills in; ``claude_code`` and ``codex`` are agents;
``tail`` reads new lines of one file, ``ingest`` turns them into one atomic append, ``watcher``
finds the files and keeps at it. The client library is the only way in to the daemon.
"""
