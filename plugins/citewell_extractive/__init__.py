"""Answers in the sources' own sentences, without weights and without a key."""
