"""Law 1: only the evidence checks can make a citation."""

import ast
from pathlib import Path

import pytest

from citewell import Citation, Place

ROOT = Path(__file__).parents[4]
MAKER = Path("core/citewell/engine/citing/evidence.py")
DEFINED = Path("core/citewell/types/answers.py")


def _sources():
    for root in ("core", "plugins", "adapters"):
        yield from (ROOT / root).rglob("*.py")


def _names(tree):
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name
            case ast.alias(name=name):
                yield name.rpartition(".")[2]
            case ast.Constant(value=str(name)):
                yield name


def test_only_the_evidence_checks_name_the_seal():
    holders = {
        path.relative_to(ROOT)
        for path in _sources()
        if {"_SEAL", "_Seal"} & set(_names(ast.parse(path.read_text(encoding="utf-8"))))
    }

    assert holders == {DEFINED, MAKER}


def test_only_the_evidence_checks_call_the_type():
    makers = {
        path.relative_to(ROOT)
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name | ast.Attribute)
        and (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) == "Citation"
    }

    assert makers == {MAKER}


def test_a_citation_without_the_seal_is_refused():
    with pytest.raises(TypeError, match="evidence checks alone"):
        Citation(
            number=1,
            passage_id="a",
            document_id="d",
            content_hash="0",
            title="",
            uri=None,
            start=0,
            end=1,
            quote="x",
            place=Place(),
            seal=object(),
        )
