"""The retrievers `lexical` and `hybrid`: passages in SQLite, found by words and by vectors."""
