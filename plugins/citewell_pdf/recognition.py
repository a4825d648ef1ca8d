"""Text recognised in pictures of pages, on this machine."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pypdfium2 as pdfium

from citewell import DocumentError
from citewell_pdf.words import Words

PACKAGE: Final = "rapidocr"
_MOST_PIXELS: Final = 2000
"""Of the longer side: what the recogniser itself looks at."""

_MOST_SCALE: Final = 300 / 72
_MODELS: Final = {"Det": "*det*.onnx", "Cls": "*cls*.onnx", "Rec": "*rec*.onnx"}


class Recognizer:
    """Reads pictures of pages with the models that come with the package; opened when needed."""

    def __init__(self) -> None:
        self._engine: Any = None

    def words(self, page: pdfium.PdfPage) -> list[Words]:
        """Return what is read on a page, as it is shown.

        Raises:
            DocumentError: it cannot be read.
        """
        width, height = page.get_size()
        scale = min(_MOST_PIXELS / max(width, height, 1.0), _MOST_SCALE)
        bitmap = page.render(scale=scale)
        try:
            found = self._opened()(bitmap.to_numpy())
        finally:
            bitmap.close()
        if found.boxes is None:
            return []
        return [
            _words(text, box, scale, height)
            for text, box in zip(found.txts, found.boxes, strict=True)
            if text.strip()
        ]

    def _opened(self) -> Any:
        if self._engine is None:
            # It tells of each step, on standard error.
            logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
            paths = {f"{kind}.model_path": _model(glob) for kind, glob in _MODELS.items()}
            self._engine = import_module(PACKAGE).RapidOCR(
                params={"Global.log_level": "critical", **paths}
            )
        return self._engine


def _model(glob: str) -> str:
    """Return the path of a model; with none of its own, the package would download one.

    Raises:
        DocumentError: the package has none.
    """
    spec = find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    found = sorted(path for place in places or () for path in Path(place).glob(f"models/{glob}"))
    if not found:
        raise DocumentError(
            f"is a scan, and {PACKAGE} has no model {glob}, which nothing is downloaded for; "
            f"install a version of {PACKAGE} that brings its models"
        )
    return str(found[0])


def _words(text: str, box: Sequence[Sequence[float]], scale: float, height: float) -> Words:
    across = [float(point[0]) / scale for point in box]
    down = [height - float(point[1]) / scale for point in box]
    size = max(max(down) - min(down), 1.0)
    return Words(text.strip(), min(across), max(across), min(down), max(down), size)
