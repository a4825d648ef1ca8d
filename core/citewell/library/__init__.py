"""From sources to passages to an index."""
