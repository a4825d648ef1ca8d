"""The source `git`: a commit of a local clone."""
