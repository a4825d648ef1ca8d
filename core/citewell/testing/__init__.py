"""What a plugin author tests with."""

from citewell.testing.retrievers import RetrieverContract

__all__ = ["RetrieverContract"]
