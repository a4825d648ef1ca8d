"""Under the grammar no citation mark can carry a number that was not given."""

import ggufs
from citewell_llamacpp.service import Service
from citewell_llamacpp.wire import File, Generate, Load, Message, Piece
from markdown_marks import bracketed, invented

GIVEN = 3
WANTED = 500
SEEDS = range(1_000)


def outputs(*, highest: int | None, seeds: range) -> list[str]:
    """Return one output a seed, at temperature 1, of a model with random weights."""
    texts: dict[int, list[str]] = {}

    def keep(message: object) -> None:
        if isinstance(message, Piece):
            texts.setdefault(message.id, []).append(message.text)

    load = Load(
        file=File.at(ggufs.model()), context=512, slots=8, threads=1, gpu_layers=0, batches=True
    )
    service = Service(load, keep)
    for seed in seeds:
        service.take(
            Generate(
                id=seed + 1,
                messages=(Message("user", "How many days?"),),
                highest=highest,
                max_output_tokens=80,
                temperature=1.0,
                seed=seed,
            )
        )
    while service.has_work:
        service.step()
    return ["".join(texts.get(seed + 1, ())) for seed in seeds]


def test_no_number_is_invented_under_the_grammar_and_some_are_without_it():
    held = outputs(highest=GIVEN, seeds=SEEDS)
    free = outputs(highest=None, seeds=SEEDS[:200])

    assert sum(bool(bracketed(text)) for text in held) >= WANTED
    assert invented(held, given=GIVEN) == []
    assert len(invented(free, given=GIVEN)) > 10


def test_without_passages_nothing_stands_in_brackets():
    assert all(not bracketed(text) for text in outputs(highest=0, seeds=range(50)))
