"""One module for each group of verbs: ``history`` is ``client.history``, and so on."""
