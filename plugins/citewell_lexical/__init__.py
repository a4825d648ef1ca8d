"""The retriever `lexical`: passages in SQLite, found by words through Tantivy."""
