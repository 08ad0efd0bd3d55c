"""Search: what a person types becomes a question to the full-text index, and its answer text.

``language`` reads the question, ``text`` prepares texts for the index and cuts snippets out of
them, ``words`` holds what both agree on; none of these does any I/O.
"""
