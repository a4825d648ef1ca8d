"""Proves files: compares each with the trained model, and makes what it carries of that."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from citewell_llamacpp.export.comparing import (
    CONTINUED,
    DEVIATION,
    Expected,
    Trial,
    expected,
    measured,
)
from citewell_llamacpp.export.families import read_base
from citewell_llamacpp.export.reading import weight_files
from citewell_llamacpp.export.reference import Reference, tokenizer_folder
from citewell_llamacpp.export.samples import TEXTS, conversations
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
        self._exact = read_base(base).family.tolerance
        own = conversations(None, PROMPTS)
        given = conversations(samples, PROMPTS)
        self._conversations = list(dict.fromkeys([*own[:_OWN], *given, *own]))[:PROMPTS]
        reference = Reference(base, adapter, threads=threads)
        self.specials: Specials = reference.specials
        self._conversations = [reference.fitted(one) for one in self._conversations]
        self._trained = self._asked(reference, adapted=True)
        self._untrained = self._asked(reference, adapted=False) if adapter is not None else None
        self._hashes = _hashes(base, adapter)
        reference.close()

    def _asked(self, reference: Reference, *, adapted: bool) -> Expected:
        found = expected(reference, self._conversations)
        with reference.adapted(adapted):
            found.logits = [reference.logits(one) for one in found.probes]
            for tokens in found.tokens:
                written, margins = reference.continued(tokens, CONTINUED)
                found.continuations.append(written)
                found.margins.append(margins)
            for tokens in found.probes[:_SHOWN_PROBES]:
                found.behind.append(reference.continued(tokens, _CARRIED)[0])
        return found

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
        wanted = self._trained if adapted or self._untrained is None else self._untrained
        trial = Trial(file, None, threads=self._threads)
        try:
            figures, logits = self._tried(kind, trial, wanted)
            behind = trial.continuations(wanted, wanted.probes[:_SHOWN_PROBES], _CARRIED)
        finally:
            trial.close()
        if kind not in QUANTISED:
            _check_equal(kind, figures, self._exact)
            # A file carries what was trained, not what it does itself.
            return self._proof(kind, wanted, (wanted.logits, wanted.behind), figures)
        agreement = figures["likeliest_token_agreement"]
        if agreement < least:
            raise NotEqual(
                f"{kind}: {agreement:.0%} of the likeliest tokens are those of what was trained; "
                f"expected at least {least:.0%} (min_agreement)"
            )
        return self._proof(kind, wanted, (logits, behind), figures)

    def of_adapter(self, adapter: Path, base: Path, used: Path) -> Proof:
        """Return what proves an adapter.

        Args:
            adapter: the file.
            base: file of the base that was made here.
            used: the one that it will be used with.

        Raises:
            NotEqual: with `base` it does not what was trained, or `used` reads text otherwise.
            ChildFailed: llama.cpp cannot load it.
        """
        trial = Trial(base, adapter, threads=self._threads)
        try:
            figures, _ = self._tried("adapter", trial, self._trained)
        finally:
            trial.close()
        _check_equal("adapter", figures, self._exact)
        trial = Trial(used, adapter, threads=self._threads)
        try:
            differences = trial.text_differences(self._trained, self._conversations)
            if differences:
                raise NotEqual(f"adapter with {used}: {'; '.join(differences)}")
            probes = self._trained.probes[:_SHOWN_PROBES]
            logits = trial.logits(probes)
            behind = trial.continuations(self._trained, probes, _CARRIED)
        finally:
            trial.close()
        return self._proof("adapter", self._trained, (logits, behind), figures, base=_sha256(used))

    def _tried(
        self, kind: str, trial: Trial, wanted: Expected
    ) -> tuple[dict[str, float], list[NDArray[np.float32]]]:
        differences = trial.text_differences(wanted, self._conversations)
        if differences:
            raise NotEqual(f"{kind}: {'; '.join(differences)}")
        logits = trial.logits(wanted.probes)
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
            texts=list(zip(TEXTS, wanted.texts, strict=True)),
            chats=[
                Chat([(one.role, one.content) for one in conversation], prompt)
                for conversation, prompt in zip(
                    self._conversations[:_SHOWN_PROBES], wanted.prompts, strict=False
                )
            ],
            end=wanted.end,
            stops=sorted(wanted.stops),
            probes=[
                Probe(tokens, _likeliest(logits[-1]), behind)
                for tokens, logits, behind in zip(wanted.probes, *computed, strict=False)
            ],
            tolerance=_ELSEWHERE.get(kind, _ELSEWHERE_QUANTISED) * spread,
            base=base,
            figures=figures,
            made={name: metadata.version(name) for name in _MAKERS},
            hashes=self._hashes,
        )


_MAKERS = ("citewell", "gguf", "llama-cpp-python", "torch", "transformers")


def _check_equal(kind: str, figures: dict[str, float], exact: float) -> None:
    spread = max(1.0, figures["logits_deviation"] / DEVIATION)
    tolerance = (exact if kind == "F32" else max(_TOLERANCE_HALF, 2 * exact)) * spread
    largest = figures["logits_max_difference"]
    if not largest <= tolerance:
        raise NotEqual(
            f"{kind}: a logit differs by {largest:.3g} from what was trained; expected at most "
            f"{tolerance:.3g}"
        )
    equal = figures["continuations_equal"] + figures["continuations_tied"]
    if equal < _EQUAL * figures["continuations"]:
        raise NotEqual(
            f"{kind}: {equal:.0f} of {figures['continuations']:.0f} prompts are written on as they "
            f"were trained; expected at least {_EQUAL:.0%}"
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
