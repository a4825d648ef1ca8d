"""A stand-in for the Bot API on this machine, with people in it."""
