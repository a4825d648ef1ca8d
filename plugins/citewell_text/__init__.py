"""Loaders for Markdown, reStructuredText, HTML, CSV and plain text."""
