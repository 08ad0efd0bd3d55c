"""Followers: everything computed from records, each at its own pace behind the change log.

A follower has a name, a version and a cursor kept in the database; a new version starts over.
They run in the writer's idle moments and, when a search waits for one, between batches.
"""
