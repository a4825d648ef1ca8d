"""Scores without a judge: from a question and what came back for it to numbers from 0 to 1."""

from citewell.evaluation.scores.cases import Measure
from citewell.evaluation.scores.guarding import metric_score
from citewell.evaluation.scores.table import MEASURES, RAW, TELLING_RIGHT, scored

__all__ = ["MEASURES", "RAW", "TELLING_RIGHT", "Measure", "metric_score", "scored"]
