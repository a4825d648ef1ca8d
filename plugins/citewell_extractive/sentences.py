"""Where sentences end."""

from __future__ import annotations

from collections.abc import Iterator


def sentences(text: str, language: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the sentences of one paragraph, blank space at their ends left out.

    Args:
        text: a line break in it is as good as a space.
        language: ISO 639-1 code; one that is not known is split as English.
    """
    import sentencex

    # A lone surrogate, from a file name say, has no UTF-8 form, which the splitter needs.
    plain = text.replace("\n", " ").encode("utf-8", "replace").decode("utf-8")
    language = language.encode("utf-8", "replace").decode("utf-8")
    position = 0
    for sentence in sentencex.segment(language, plain):
        inner = sentence.strip()
        if inner:
            start = position + sentence.index(inner)
            yield start, start + len(inner)
        position += len(sentence)
