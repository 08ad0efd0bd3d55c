"""The daemon: the one process that writes.

Read ``boot`` first (all wiring on one screen), then follow a save: ``server`` → ``dispatch`` →
``writer`` → ``store``; and a question: ``server`` → ``dispatch`` → ``readers`` → ``query`` or
``search``. ``followers`` is everything that is computed from records afterwards.
"""
