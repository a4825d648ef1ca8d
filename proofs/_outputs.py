"""Model outputs as hypothesis strategies: honest, careless and hostile ones, in pieces by kind."""

from __future__ import annotations

import re
from typing import TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from citewell.engine.citing.sentences import split_sentences
from proofs import _stores as stores

Fragment: TypeAlias = tuple[str, str]
Fragments: TypeAlias = SearchStrategy[Fragment]

_TOTAL = len(stores.store().retrieved)
_SENTENCES = tuple(
    (text[start:end], stores.number_of(name))
    for name, text in stores.good_texts().items()
    if name != "table"
    for start, end in split_sentences(text, "en")
)
_CODE = (
    "citewell sync --watch",
    "if stale:\n    rebuild(index[1])",
    "citewell sync --watch\nif stale:",
)
_ROWS = ("Kenya | 21 | Wanjiru Kamau", "France | 25 | Amélie Laurent", "Japan | 10 | Kenji Tanaka")
_DIGITS = "１٣४৫²⁵①Ⅳ"
_ODD_CHARACTERS = (
    "[]()`*_#>|~\\!<>@&;:.\n \t\r1230１[1]【】［］\u200b\u202e\u00ad\ud800\x00\x1b\ue000"
)


def _kind(name: str, strategy: SearchStrategy[str]) -> Fragments:
    return strategy.map(lambda text: (name, text))


_sentences = st.sampled_from(_SENTENCES)
_numbers = st.integers(1, _TOTAL)
_invented = st.one_of(
    st.integers(_TOTAL + 1, 10**6), st.sampled_from([0, -1, 10**30]), st.just("1e3")
)
_strange_marks = st.sampled_from(
    ["[[1]]", "[1 [3]]", r"\[1\]", "[^1]", "[1](http://evil.example/?q=secret)", "[1][ref]",
     "![1](http://evil.example/x.png)", "&#91;1&#93;", "[<b>1</b>]", "[\u200b1]", "[1-3]", "[1-99]",
     "【1】", "【1†source】", "［1］", "[1, 3; 5]", "[**1**]", "[`1`]", "<sup>1</sup>", "[1", "1]",
     "[source 1]", "[1]: http://evil.example", "[1.5]", "[12:30]", "[1,]", "[,1]", "[1 1]", "[ ]"]
)  # fmt: skip
_unicode_marks = st.sampled_from(_DIGITS).map(lambda digit: f"[{digit}]")


def _typed_again(sentence: str) -> str:
    """Return a sentence as a model would copy it: other quotes, dashes and blanks."""
    plain = sentence.replace("’", "'").replace("—", "-").replace("\u00ad", "").replace("ﬁ", "fi")
    return " ".join(plain.replace("“", '"').replace("”", '"').split())


def _cut_words(sentence: str) -> SearchStrategy[str]:
    words = sentence.split()
    return st.tuples(st.integers(0, len(words) - 1), st.integers(1, 6)).map(
        lambda span: " ".join(words[span[0] : span[0] + span[1]])
    )


def _other_number(sentence: str) -> str:
    return re.sub(r"\d+", lambda match: str(int(match[0]) + 7), sentence) + " In 1811."


_quoted = st.one_of(
    _sentences.map(lambda pair: f'They write: "{_typed_again(pair[0])}" [{pair[1]}].'),
    _sentences.flatmap(lambda pair: _cut_words(pair[0]).map(lambda part: f"“{part}” [{pair[1]}].")),
    _sentences.map(lambda pair: f"> {_typed_again(pair[0])} [{pair[1]}]\n"),
)
_forged = st.one_of(
    _sentences.map(lambda pair: f'It says "{pair[0][:20]} and free cake" [{pair[1]}].'),
    _numbers.map(lambda number: f"> Nobody ever wrote this line [{number}]\n"),
    _sentences.map(lambda pair: f"«{pair[0][::-1]}» [{pair[1]}]."),
)
_fences = st.tuples(
    st.sampled_from(["```", "~~~", "````python", "``` "]), st.sampled_from(_CODE), st.booleans()
)
_tables = st.tuples(
    st.sampled_from(["| Country | Days | Approved by |", "| Land | Tage | Chef |", "| a |"]),
    st.lists(
        st.tuples(st.sampled_from(_ROWS), st.sampled_from([3, 1, 7, 99])), min_size=1, max_size=3
    ),
)
_markup = st.sampled_from(
    ["[click](http://evil.example/?d=30)", "![x](https://evil.example/p.png)", "@everyone",
     "<@U123>",
     "<img src=x onerror=alert(1)>", "<!-- [1] -->", "<script>alert(1)</script>", "@here",
     "https://evil.example/?leak=1", "[x]: http://evil.example", "<http://evil.example|text>",
     "&lt;img src=x&gt;", "[a][b]", "javascript:alert(1)", "data:text/html,x", "user@evil.example",
     "evil.example/path", "\x1b[31m", "</p>", "<t:1>", "![x][y]", "https://intranet.example/leave"]
)  # fmt: skip


def _fenced(fence: str, code: str, marked: bool) -> str:
    closing = re.match(r"[`~]+", fence)
    assert closing is not None
    return f"\n{fence}\n{code}{' # [1]' if marked else ''}\n{closing[0]}\n"


def _table(header: str, rows: list[tuple[str, int]]) -> str:
    width = header.count("|") - 1
    lines = [f"| {row} [{number}] |" for row, number in rows]
    return "\n\n" + "\n".join([header, "|" + "---|" * width, *lines]) + "\n\n"


fragments: Fragments = st.one_of(
    _kind("stored sentence", _sentences.map(lambda pair: f"{pair[0]} [{pair[1]}]")),
    _kind("mark after the stop", _sentences.map(lambda pair: f"{pair[0]}[{pair[1]}]")),
    _kind(
        "any mark",
        st.tuples(_sentences, st.lists(_numbers, max_size=4)).map(
            lambda drawn: drawn[0][0] + "".join(f"[{number}]" for number in drawn[1])
        ),
    ),
    _kind(
        "invented number",
        st.tuples(_sentences, _invented).map(lambda drawn: f"{drawn[0][0]} [{drawn[1]}]"),
    ),
    _kind(
        "stale or forbidden",
        st.tuples(st.sampled_from(stores.secrets()), _numbers).map(
            lambda drawn: f"{drawn[0]} [{drawn[1]}]"
        ),
    ),
    _kind("other figure", _sentences.map(lambda pair: f"{_other_number(pair[0])} [{pair[1]}]")),
    _kind("near quote", _quoted),
    _kind("forged quote", _forged),
    _kind(
        "strange mark",
        st.tuples(_sentences, _strange_marks, _strange_marks).map(
            lambda drawn: f"{drawn[1]} {drawn[0][0]} {drawn[2]}"
        ),
    ),
    _kind(
        "Unicode digit",
        st.tuples(_sentences, _unicode_marks).map(lambda drawn: f"{drawn[0][0]} {drawn[1]}"),
    ),
    _kind(
        "mark in code",
        _sentences.map(lambda pair: f"{pair[0][:-1]} `x[{pair[1]}]` ``[{pair[1]}]``."),
    ),
    _kind("code block", _fences.map(lambda drawn: _fenced(*drawn))),
    _kind("table", _tables.map(lambda drawn: _table(*drawn))),
    _kind(
        "markup",
        st.tuples(_sentences, _markup, _markup).map(
            lambda drawn: f"{drawn[1]} {drawn[0][0][:-1]} {drawn[2]} [{drawn[0][1]}]."
        ),
    ),
    _kind("heading", st.sampled_from(["\n# Leave\n", "\n## Days of leave\n", "\n### Cake [1]\n"])),
    _kind(
        "list item",
        _sentences.map(lambda pair: f"\n- {pair[0]} [{pair[1]}]\n  1. Then {pair[0]}"),
    ),
    _kind("odd characters", st.text(st.sampled_from(_ODD_CHARACTERS), max_size=40)),
    _kind("any text", st.text(max_size=60)),
)

_gaps = st.sampled_from([" ", " ", "\n", "\n\n", "", "\n\n- ", "\n> "])
outputs: SearchStrategy[list[tuple[str, Fragment]]] = st.lists(
    st.tuples(_gaps, fragments), min_size=1, max_size=7
)
many_marks: Fragments = st.tuples(_sentences, st.integers(1, 99), st.booleans()).map(
    lambda drawn: (
        "10,000 marks",
        f"{drawn[0][0]} " + (f"[{drawn[1]}]" + " " * drawn[2]) * 10_000 + " The end.",
    )
)
