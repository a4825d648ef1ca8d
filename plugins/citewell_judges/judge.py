"""Scores an answer by what a judge says of it."""

from __future__ import annotations

from collections.abc import Callable

from citewell import EvalItem, Labels, Passage, Response, Score, Unscored, blocking
from citewell_judges.asking import JudgeModel
from citewell_judges.kept import KeptScores
from citewell_judges.process import JudgeError, JudgeProcess
from citewell_judges.settings import NEEDS, JudgeConfig
from citewell_judges.wire import Case


class Judge:
    """A metric that lets a language model judge, as a package has it asked.

    Args:
        config: says by which measure.
        process: in which the package runs.
        model: that judges.
        kept: scores from before.
        withholds: tells of labels whether the model may not be given what has them.
    """

    def __init__(
        self,
        config: JudgeConfig,
        process: JudgeProcess,
        model: JudgeModel,
        *,
        kept: KeptScores,
        withholds: Callable[[Labels], bool],
    ) -> None:
        self._config = config
        self._needs = NEEDS[config.measure]
        self._process = process
        self._model = model
        self._kept = kept
        self._withholds = withholds

    async def score(self, item: EvalItem, response: Response) -> Score:
        """Return the number, 0 where nothing was given that could get one, or why there is none."""
        if not self._looks_at(item, response):
            return None
        if not self._has_all(response):
            return 0.0
        if any(self._withholds(passage.labels) for passage in response.found):
            # Of an answer nobody knows what it has from which of them.
            return Unscored(
                f"the model {self._config.model} may not be given what was found: local_only"
            )
        case = Case(
            question=_whole(item.question),
            answer=_whole(response.text),
            passages=tuple(map(_passage, response.found)),
            expected=_whole(item.answers[0]) if item.answers else "",
        )
        kept = await blocking.call(self._kept.get, case)
        if kept is not None:
            return kept
        try:
            score = await self._process.score(
                case, self._model.said, timeout_s=self._config.timeout_s
            )
        except JudgeError as error:
            return Unscored(str(error))
        await blocking.call(self._kept.keep, case, score)
        return score

    def _looks_at(self, item: EvalItem, response: Response) -> bool:
        """Tell whether the question and what came back are what the measure is about."""
        if self._needs.expected:
            # As with the other scores, who gives nothing where something is expected gets 0.
            searched = bool(response.found) or "retrieve" in response.seconds
            is_known = bool(item.answers and item.answers[0].strip())
            return is_known and (searched or not self._needs.passages)
        return self._has_all(response)

    def _has_all(self, response: Response) -> bool:
        """Tell whether there is what is judged."""
        return (bool(response.text.strip()) or not self._needs.answer) and (
            bool(response.found) or not self._needs.passages
        )


def _passage(passage: Passage) -> str:
    return _whole(f"{passage.header}\n{passage.text}" if passage.header else passage.text)


def _whole(text: str) -> str:
    """Return a text without halves of characters, which no encoding takes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
