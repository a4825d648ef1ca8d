"""Each question belongs to the groups that what it expects says."""

import pytest

from citewell import EvalItem
from citewell.evaluation.slices import sliced


@pytest.mark.parametrize(
    ("expected", "slices"),
    [
        ({"documents": ("a.md",)}, ("in the documents",)),
        ({"quotes": ("28 days",)}, ("in the documents",)),
        ({"documents": ("a.md", "b.md")}, ("in the documents", "several documents")),
        ({"documents": ("a.md",), "unanswerable": True}, ("not in the documents",)),
        ({"pattern": r"\d+"}, ("style or format",)),
        ({"glossary": ("annual leave",)}, ("style or format",)),
        ({"forbidden": ("vacation",)}, ("style or format",)),
        ({"choice": "yes"}, ("style or format",)),
        ({"output_schema": {"type": "object"}}, ("style or format",)),
        ({"answers": ("28 days",)}, ()),
        ({"documents": ("a.md",), "slices": ("leave",)}, ("in the documents", "leave")),
    ],
)
def test_a_question_belongs_where_its_expectations_say(expected, slices):
    item = sliced(EvalItem(question="How many days?", **expected))

    assert item.slices == slices
    assert sliced(item) == item
