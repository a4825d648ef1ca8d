"""Characters that nobody sees, and that no text needs."""

from __future__ import annotations

import re

# Without tab and line breaks; the last three rows hide or reorder text: directions of writing
# (Unicode Technical Report 36), tags that show nothing, and halves of characters.
CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
    "\u202a-\u202e\u2066-\u2069"
    "\U000e0000-\U000e007f"
    "\ud800-\udfff]"
)
