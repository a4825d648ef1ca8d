"""Stores, pipelines and converters of Haystack: the retriever and the loader `haystack`."""
