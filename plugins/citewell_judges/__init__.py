"""Judges: scores of ragas and deepeval, which let a language model judge an answer."""
