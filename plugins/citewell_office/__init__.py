"""Loaders for DOCX, XLSX and PPTX."""
