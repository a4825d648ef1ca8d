"""The source `files`: a folder on this machine."""
