"""The adapter `slack`: the assistant in Slack."""
