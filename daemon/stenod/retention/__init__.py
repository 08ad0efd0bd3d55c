"""Retention: what the settings say shall not be kept for ever."""
