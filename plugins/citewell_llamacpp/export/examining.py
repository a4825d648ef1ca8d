"""Proves files: compares each with the trained model, and makes what it carries of that."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from citewell_llamacpp.export.comparing import (
    CONTINUED,
    DEVIATION,
    LONGEST,
    Expected,
    Trial,
    expected,
    measured,
)
from citewell_llamacpp.export.families import read_base
from citewell_llamacpp.export.reading import weight_files
from citewell_llamacpp.export.reference import Reference, tokenizer_folder
from citewell_llamacpp.export.samples import conversations
from citewell_llamacpp.export.writing import QUANTISED, Specials
from citewell_llamacpp.proof import Chat, Probe, Proof

PROMPTS = 40
"""Conversations that are written on."""

# Source: measured with random weights of every family, whose logits had a deviation of 1.3.
_TOLERANCE_HALF = 0.1
_EQUAL = 0.95
_OWN = 8
_SHOWN_PROBES = 4
_LIKELIEST = 8
_CARRIED = 8
# Elsewhere other instructions round otherwise; of quantised weights, what goes in as well.
_ELSEWHERE = {"F32": 0.1, "F16": 0.2, "adapter": 0.3}
_ELSEWHERE_QUANTISED = 1.0


class NotEqual(Exception):
    """A file differs from what was trained; says how."""


class Examination:
    """What the trained model does, and files that are held against it.

    Args:
        base: folder of the model that learnt.
        adapter: folder of what it learnt; None for nothing.
        samples: file of conversations, of which nothing gets into a file.
        threads: that compute.

    Raises:
        ChildFailed: the trained model cannot be asked.
    """

    def __init__(
        self, base: Path, adapter: Path | None, *, samples: Path | None, threads: int | None
    ) -> None:
        self._threads = threads
        model = read_base(base)
        self._exact = model.family.tolerance
        self._longest = min(int(model.settings["max_position_embeddings"]), LONGEST)
        own = conversations(None, PROMPTS)
        given = conversations(samples, PROMPTS)
        self._conversations = list(dict.fromkeys([*own[:_OWN], *given, *own]))[:PROMPTS]
        reference = Reference(base, adapter, threads=threads)
        self.specials: Specials = reference.specials
        self._conversations = [reference.fitted(one) for one in self._conversations]
        self._trained = self._asked(reference, adapted=True)
        self._untrained = self._asked(reference, adapted=False) if adapter is not None else None
        self._adapter_figures: dict[str, float] = {}
        self._hashes = _hashes(base, adapter)
        reference.close()

    def _asked(self, reference: Reference, *, adapted: bool) -> Expected:
        found = expected(reference, self._conversations, longest=self._longest)
        with reference.adapted(adapted):
            found.logits = [reference.logits(one) for one in found.probes]
            found.logits.append(reference.last_logits(found.long))
            for tokens in found.tokens:
                written, margins = reference.continued(tokens, CONTINUED)
                found.continuations.append(written)
                found.margins.append(margins)
            for tokens in found.probes[:_SHOWN_PROBES]:
                found.behind.append(reference.continued(tokens, _CARRIED)[0])
        return found

    @property
    def _effect(self) -> float:
        """By how much what was learnt changes a logit; without bound where nothing is known."""
        if self._untrained is None:
            return float("inf")
        pairs = zip(self._trained.logits, self._untrained.logits, strict=True)
        return max(float(np.abs(one - other).max()) for one, other in pairs)

    def of_model(self, kind: str, file: Path, *, adapted: bool = True, least: float = 0.0) -> Proof:
        """Return what proves a whole model.

        Args:
            kind: of the file.
            file: the model.
            adapted: whether what was learnt is in it.
            least: of a quantised file, the share of likeliest tokens that have to be equal.

        Raises:
            NotEqual: it is not.
            ChildFailed: llama.cpp cannot load it.
        """
        is_trained = adapted or self._untrained is None
        wanted = self._trained if is_trained or self._untrained is None else self._untrained
        effect = self._effect if is_trained else float("inf")
        with self._loaded(file) as trial:
            figures, logits = self._tried(kind, trial, wanted)
            behind = trial.continuations(wanted, wanted.probes[:_SHOWN_PROBES], _CARRIED)
        if kind not in QUANTISED:
            _check_equal(kind, figures, self._exact, effect)
            # A file carries what was trained, not what it does itself.
            return self._proof(kind, wanted, (wanted.logits, wanted.behind), figures)
        _check_agreement(kind, figures, least)
        return self._proof(kind, wanted, (logits, behind), figures)

    def of_adapter(self, adapter: Path, base: Path) -> None:
        """Compare an adapter, used with a file of its base that was made here.

        Raises:
            NotEqual: it does not what was trained.
            ChildFailed: llama.cpp cannot load it.
        """
        with self._loaded(base, adapter) as trial:
            self._adapter_figures, _ = self._tried("adapter", trial, self._trained)
        _check_equal("adapter", self._adapter_figures, self._exact, self._effect)

    def of_adapter_with(self, adapter: Path, used: Path, form: str, *, least: float) -> Proof:
        """Return what proves an adapter that was compared, with the file that it is used with.

        Args:
            adapter: the file.
            used: of the base.
            form: Unicode form that the adapter says; a file of the base may not say it.
            least: share of likeliest tokens that have to be equal.

        Raises:
            NotEqual: `used` is another model, or reads text otherwise.
            ChildFailed: llama.cpp cannot load it.
        """
        with self._loaded(used, adapter, form=form) as trial:
            figures, logits = self._tried(f"adapter with {used}", trial, self._trained)
            probes = self._trained.probes[:_SHOWN_PROBES]
            behind = trial.continuations(self._trained, probes, _CARRIED)
        _check_agreement(f"adapter with {used}", figures, least)
        return self._proof(
            "adapter",
            self._trained,
            (logits, behind),
            self._adapter_figures,
            base=_sha256(used),
        )

    @contextmanager
    def _loaded(
        self, file: Path, adapter: Path | None = None, *, form: str = ""
    ) -> Iterator[Trial]:
        trial = Trial(file, adapter, threads=self._threads, longest=self._longest, form=form)
        try:
            yield trial
        finally:
            trial.close()

    def _tried(
        self, kind: str, trial: Trial, wanted: Expected
    ) -> tuple[dict[str, float], list[NDArray[np.float32]]]:
        differences = trial.text_differences(wanted, self._conversations)
        if differences:
            raise NotEqual(f"{kind}: {'; '.join(differences)}{_REPORT}")
        logits = [*trial.logits(wanted.probes), trial.last_logits(wanted.long)]
        continuations = trial.continuations(wanted, wanted.tokens, CONTINUED)
        return measured(wanted, logits, continuations), logits

    def _proof(
        self,
        kind: str,
        wanted: Expected,
        computed: tuple[Sequence[NDArray[np.float32]], Sequence[Sequence[int]]],
        figures: dict[str, float],
        *,
        base: str = "",
    ) -> Proof:
        spread = max(1.0, figures["logits_deviation"] / DEVIATION)
        return Proof(
            kind=kind,
            texts=wanted.texts,
            chats=[
                Chat([(one.role, one.content) for one in conversation], prompt)
                for conversation, prompt in zip(
                    self._conversations[:_SHOWN_PROBES], wanted.prompts, strict=False
                )
            ],
            end=wanted.end,
            stops=sorted(wanted.ends),
            probes=[
                Probe(tokens, _likeliest(logits[-1]), behind)
                for tokens, logits, behind in zip(wanted.probes, *computed, strict=False)
            ],
            tolerance=min(
                _ELSEWHERE.get(kind, _ELSEWHERE_QUANTISED) * spread,
                # What was learnt has to be seen, also where it is little.
                max(self._effect / 2, 2 * figures["logits_max_difference"]),
            ),
            base=base,
            figures=figures,
            made={name: metadata.version(name) for name in _MAKERS},
            hashes=self._hashes,
        )


_REPORT = "; the file is not kept: report it, with the family and the tokenizer of the base"
_MAKERS = ("citewell", "gguf", "llama-cpp-python", "torch", "transformers")


def _check_equal(kind: str, figures: dict[str, float], exact: float, effect: float) -> None:
    spread = max(1.0, figures["logits_deviation"] / DEVIATION)
    tolerance = (exact if kind == "F32" else max(_TOLERANCE_HALF, 2 * exact)) * spread
    largest = figures["logits_max_difference"]
    if not largest <= tolerance:
        raise NotEqual(
            f"{kind}: a logit differs by {largest:.3g} from what was trained; expected at most "
            f"{tolerance:.3g}{_REPORT}"
        )
    if largest > effect / 2:
        raise NotEqual(
            f"{kind}: a logit differs by {largest:.3g} from what was trained, and what was learnt "
            f"changes none by more than {effect:.3g}: nobody could tell the file from one that "
            "learnt nothing; train longer, or with a higher learning_rate"
        )
    equal = figures["continuations_equal"] + figures["continuations_tied"]
    if equal < _EQUAL * figures["continuations"]:
        raise NotEqual(
            f"{kind}: {equal:.0f} of {figures['continuations']:.0f} prompts are written on as they "
            f"were trained; expected at least {_EQUAL:.0%}{_REPORT}"
        )


def _check_agreement(kind: str, figures: dict[str, float], least: float) -> None:
    agreement = figures["likeliest_token_agreement"]
    if agreement < least:
        raise NotEqual(
            f"{kind}: {agreement:.0%} of the likeliest tokens are those of what was trained; "
            f"expected at least {least:.0%} (min_agreement): export another kind, or use a file of "
            "the base that it was trained on"
        )


def _likeliest(logits: NDArray[np.float32]) -> list[tuple[int, float]]:
    best = np.argsort(-logits, kind="stable")[:_LIKELIEST]
    return [(int(token), float(logits[token])) for token in best]


def _hashes(base: Path, adapter: Path | None) -> dict[str, str]:
    files = {"config": base / "config.json"}
    files |= {one.name: one for one in weight_files(base)}
    files["tokenizer"] = tokenizer_folder(base, adapter) / "tokenizer.json"
    if adapter is not None:
        files["adapter"] = adapter / "adapter_model.safetensors"
    return {name: _sha256(path) for name, path in files.items()}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
