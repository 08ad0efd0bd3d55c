"""Questions: lists, single records, statistics and SQL, on read-only connections."""
