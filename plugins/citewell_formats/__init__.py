"""The formatters that come with Citewell: `footnotes`, `plain` and `json`."""
