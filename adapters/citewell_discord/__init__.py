"""The adapter `discord`: the assistant where a Discord server asks."""
