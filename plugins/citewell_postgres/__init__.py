"""The retriever `postgres`: passages in PostgreSQL, found by their words and by vectors."""
