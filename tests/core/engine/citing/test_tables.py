import pytest

from citewell.engine.citing.tables import is_rule, table_cells


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("| a | b |", ["a", "b"]),
        ("|a|b", ["a", "b"]),
        ("|a|b|", ["a", "b"]),
        ("| a \\| b | c |", ["a \\| b", "c"]),
        ("| a | b \\|", ["a", "b \\|"]),
        ("||", [""]),
        ("| a |  | c |", ["a", "", "c"]),
    ],
)
def test_cells_of_a_row(line, cells):
    assert table_cells(line) == cells


@pytest.mark.parametrize(
    ("line", "below", "is_one"),
    [
        ("|---|---|", "| a | b |", True),
        ("| :--- | ---: |", "| a | b |", True),
        ("---|---", "| a | b |", True),
        ("|---|", "| a | b |", False),
        ("|---|---|---|", "| a | b |", False),
        ("|---|---|", "| a \\| b |", False),
        ("|---|--x|", "| a | b |", False),
        ("||", "| a |", False),
    ],
)
def test_the_rule_below_a_header(line, below, is_one):
    assert is_rule(line, below=below) is is_one
