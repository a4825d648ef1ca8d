"""The PDF loader keeps what every loader promises."""

from collections.abc import Sequence
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from citewell import Place
from citewell.testing import LoaderContract


class TestPdf(LoaderContract):
    name = "pdf"
    quotes = {
        "The door closes at 22:00.": Place(page=1, headings=("Office handbook",)),
        "Elm | 12": Place(page=2, headings=("Office handbook", "Rooms")),
    }

    def samples(self, folder: Path) -> Sequence[Path]:
        path = folder / "handbook.pdf"
        canvas = Canvas(str(path), pagesize=A4, invariant=True)
        canvas.bookmarkPage("handbook")
        canvas.addOutlineEntry("Office handbook", "handbook", level=0)
        canvas.drawString(72, 750, "Office handbook")
        canvas.drawString(72, 720, "The door closes at 22:00.")
        canvas.showPage()
        canvas.bookmarkPage("rooms")
        canvas.addOutlineEntry("Rooms", "rooms", level=1)
        canvas.drawString(72, 750, "Rooms")
        for height, room, seats in ((700, "Room", "Seats"), (685, "Elm", "12"), (670, "Oak", "4")):
            canvas.drawString(72, height, room)
            canvas.drawRightString(300, height, seats)
        canvas.showPage()
        canvas.save()
        return (path,)
