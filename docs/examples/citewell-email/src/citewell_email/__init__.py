"""The formatter `email`: an answer as the plain text of a mail, with numbered notes."""
