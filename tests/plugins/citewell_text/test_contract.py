"""The loaders of text keep what every loader promises."""

from collections.abc import Sequence
from pathlib import Path

from citewell import Place
from citewell.testing import LoaderContract

MARKDOWN = """\
---
title: Office handbook
---
Before the first heading.

# Office `handbook`

The door closes at 22:00.

## Visitors & guests

- Guests sign in at the desk.
  They wear a badge.

| Room | Seats |
|------|-------|
| Elm  | 12    |

```sh
# not a heading
make coffee
```

Deliveries
----------

Parcels wait in the basement.
"""

RESTRUCTURED_TEXT = """\
===============
Office handbook
===============

The door closes at 22:00.

Visitors & *guests*
-------------------

Guests sign in::

  make coffee

=====  =====
Room   Seats
=====  =====
Elm    12
=====  =====

.. include:: /etc/passwd

Deliveries
----------

Parcels wait in the basement.
"""

HTML = """\
<!doctype html>
<html><head><title>Handbook page</title><style>p { color: red }</style></head>
<body>
<nav><a href="/">Home</a></nav>
<h1 id="handbook">Office handbook</h1>
<p>The door closes
at 22:00.</p>
<section id="visitors"><h2>Visitors &amp; guests</h2>
<ul><li>Guests sign in</li>
<li>They wear a badge</li></ul>
<table>
<tr><th>Room</th><th>Seats</th></tr>
<tr><td>Elm</td><td>12</td></tr>
</table>
<pre>make tea
make coffee</pre>
<p hidden>Nobody sees this.</p>
</section>
</body></html>
"""

CSV = """\
Room;Seats;Remark
Elm;12;"by the
window"

Oak;4;none
"""


class TestMarkdown(LoaderContract):
    name = "markdown"
    quotes = {
        "Before the first": Place(line=4),
        "The door closes": Place(line=8, headings=("Office handbook",), anchor="office-handbook"),
        "They wear": Place(line=13, headings=("Office handbook", "Visitors & guests")),
        "Elm  | 12": Place(line=17, anchor="visitors--guests"),
        "make coffee": Place(line=21, headings=("Office handbook", "Visitors & guests")),
        "Parcels wait": Place(line=27, headings=("Office handbook", "Deliveries")),
    }

    def samples(self, folder: Path) -> Sequence[Path]:
        return (_written(folder / "handbook.md", MARKDOWN),)


class TestRestructuredText(LoaderContract):
    name = "restructuredtext"
    quotes = {
        "The door closes": Place(line=5, headings=("Office handbook",), anchor="office-handbook"),
        "make coffee": Place(line=12, headings=("Office handbook", "Visitors & guests")),
        "Elm    12": Place(line=17, anchor="visitors-guests"),
        "Parcels wait": Place(line=25, headings=("Office handbook", "Deliveries")),
    }

    def samples(self, folder: Path) -> Sequence[Path]:
        return (_written(folder / "handbook.rst", RESTRUCTURED_TEXT),)


class TestHtml(LoaderContract):
    name = "html"
    quotes = {
        "The door closes": Place(line=6, headings=("Office handbook",), anchor="handbook"),
        "at 22:00.": Place(line=7, headings=("Office handbook",)),
        "They wear a badge": Place(line=10, headings=("Office handbook", "Visitors & guests")),
        "Elm | 12": Place(line=13, anchor="visitors"),
        "make coffee": Place(line=16, anchor="visitors"),
    }

    def samples(self, folder: Path) -> Sequence[Path]:
        return (_written(folder / "handbook.html", HTML),)


class TestCsv(LoaderContract):
    name = "csv"
    quotes = {
        "Seats": Place(line=1, cell="B1"),
        "by the window": Place(line=2, cell="C2"),
        "Oak": Place(line=5, cell="A4"),
    }

    def samples(self, folder: Path) -> Sequence[Path]:
        return (_written(folder / "rooms.csv", CSV),)


class TestPlainText(LoaderContract):
    name = "text"
    quotes = {"The door was opened": Place(line=2)}


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
