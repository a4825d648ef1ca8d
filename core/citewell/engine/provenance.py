"""Whether a model is the one that was trained, as far as anybody can tell."""

from __future__ import annotations

from typing import Any, cast

from citewell.engine.sections import Section
from citewell.specs import ModelSpec


def provenance(section: Section) -> str:
    """Say in a few words whether the files of a model were proven; empty where it has none."""
    spec = cast("ModelSpec[Any]", section.spec)
    return "" if spec.proof is None else spec.proof(tuple(one.path for one in section.files))
