"""Storing: connections, migrations, and what each kind of record becomes in the tables.

Everything here runs on the writer's thread, inside the writer's transaction.
"""
