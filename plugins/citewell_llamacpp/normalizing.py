"""Brings text into the Unicode form that a model was trained with."""

from __future__ import annotations

import unicodedata
from typing import Literal, cast

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
KEY = "citewell.normalizer"
"""Key of a file with the form; llama.cpp itself knows none."""


def normalized(text: str, form: str) -> str:
    """Return `text` in a Unicode form; as it is where there is none."""
    if form not in FORMS:
        return text
    return unicodedata.normalize(cast("Literal['NFC', 'NFD', 'NFKC', 'NFKD']", form), text)
