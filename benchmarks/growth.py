"""Draws how the time of a question grows with the number of passages.

`python -m benchmarks.growth RESULTS SVG`, in the environment of the other libraries.
"""

# mypy: disable-error-code="import-not-found"
# The library that draws is not installed where types are checked.

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks import environments
from benchmarks.report import TITLES, Run

_COLOURS = (
    *("#b3001b", "#e8871e", "#1b4965", "#2a9d8f", "#6c757d"),
    *("#5f0f40", "#4a7c59", "#8d6a9f", "#3a86ff", "#7f4f24"),
)
_OURS = "citewell"


def draw(results: Path, picture: Path, cache: Path) -> None:
    """Draw the published `results`."""
    python = environments.made("peers", cache) / "python"
    command = (python, "-m", "benchmarks.growth", results, picture)
    subprocess.run(command, cwd=environments.HERE.parent, check=True)


def _drawn(result: Run, picture: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Text stays text, and the same figures give the same file.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "citewell", "font.size": 10})
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    sizes = [int(size) for size in result["retrieval"]]
    for (name, title), colour in zip(TITLES.items(), _COLOURS, strict=True):
        points = {
            size: figures["p50_ms"]
            for size in sizes
            if (figures := result["retrieval"][str(size)].get(name)) is not None
        }
        if points:
            axes.loglog(
                list(points),
                list(points.values()),
                label=title.partition(",")[0].replace("`", "") + _beside(name),
                color=colour,
                linewidth=2.5 if name == _OURS else 1.2,
                marker="o",
                markersize=4,
            )
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes], minor=False)
    axes.set_xlabel("passages")
    axes.set_ylabel("median time of a question, ms")
    axes.grid(visible=True, which="major", color="#dddddd")
    figure.legend(fontsize=8, loc="outside right upper")
    figure.savefig(picture, metadata={"Date": None, "Creator": None})


def _beside(name: str) -> str:
    return ", 50 teams" if name == "citewell, 50 labels" else ""


if __name__ == "__main__":
    _drawn(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
