"""Loader for PDF files."""
