"""The adapter `telegram`: Citewell answers in groups and direct conversations of Telegram."""
