"""What programs get: JSON documents that name their form."""

from __future__ import annotations

import json
from collections.abc import Mapping


def document(form: str, fields: Mapping[str, object]) -> str:
    """Return `fields` as the document `citewell.FORM/1`; `docs/reference/json.md` describes each.

    It is ASCII, so that no plugin's text and no path steers a terminal.
    """
    return json.dumps({"schema": f"citewell.{form}/1", **fields}, indent=2)
