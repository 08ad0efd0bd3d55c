"""Exports into files and imports from them, one thing for the client and for the command line.

``export`` and ``taking`` hold the steps; the rest turns records into text and text into records.
"""
