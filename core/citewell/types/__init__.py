"""The nouns of Citewell: frozen values that travel between the core and its plugins."""
