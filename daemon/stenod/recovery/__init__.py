"""A damaged database: noticed, set aside, and made anew from a backup and what can be read."""
