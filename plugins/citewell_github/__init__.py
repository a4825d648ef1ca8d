"""The source `github`: issues and pull requests with their comments; and its loader."""
