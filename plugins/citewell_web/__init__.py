"""The source `web`: the pages of a site."""
