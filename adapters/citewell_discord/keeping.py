"""Files in which the adapter remembers things: a full disk costs no more than the memory."""

from __future__ import annotations

import logging
from pathlib import Path

log = logging.getLogger(__name__)


def keep(path: Path, text: str) -> bool:
    """Replace the text of a file as a whole, or log why that is not possible.

    Returns:
        Whether the file now holds it.
    """
    part = path.with_suffix(".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        log.warning("%s cannot be written, so it is forgotten at a restart: %s", path.name, error)
        return False
    return True
