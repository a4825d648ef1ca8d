"""The retriever `sqltable`: answers from the rows of a table that somebody else fills."""
