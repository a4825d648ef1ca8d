"""Questions of an evaluation and what came back for them."""

from msgspec.structs import replace

from citewell import EvalItem, Outcome, Passage, Place, Placed, Quote, Response, Statement
from citewell.evaluation.scores.cases import Case


def item(**fields):
    return EvalItem(**({"question": "How many days of leave does everyone have?"} | fields))


def said(text, *, outcome=Outcome.ANSWERED, **fields):
    """Return a response that delivers `text` as the model wrote it."""
    return Response(outcome=outcome, **({"text": text, "output": text} | fields))


def case(text="", /, *, response=None, **expected):
    """Return a delivered text beside what is expected of it."""
    response = response or said(text)
    return Case(item=item(**expected), response=response, text=response.text)


def raw(one):
    return replace(one, is_raw=True, text=one.response.output)


def passage(document, text, start=0):
    return Passage(
        id=f"{document}/{start}",
        document_id=document,
        title="",
        text=text,
        start=start,
        end=start + len(text),
        places=(Placed(start, Place()),),
    )


def quote(source, text):
    start = source.start + source.text.index(text)
    return Quote(
        number=1,
        passage_id=source.id,
        document_id=source.document_id,
        start=start,
        end=start + len(text),
        text=text,
    )


def stated(text, *quotes, is_supported=True, is_shown=True):
    return Statement(text=text, is_supported=is_supported, is_shown=is_shown, quotes=quotes)
