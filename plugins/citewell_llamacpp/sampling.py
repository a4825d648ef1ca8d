"""Chooses the next token: drawn as asked, and never one that the grammar forbids."""

from __future__ import annotations

import ctypes
from typing import Any

import llama_cpp.llama_cpp as c
import numpy as np

from citewell_llamacpp.native import Native, NativeError

_REFUSED = float("-inf")
_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class Sampler:
    """The state of one answer: its random numbers, and where it is in its grammar.

    Args:
        native: the model.
        temperature: 0 takes the most likely token.
        top_p: of the most likely tokens as many are drawn from as have this probability together.
        seed: of the random numbers.
        grammar: GBNF that the whole output satisfies, or None.

    Raises:
        NativeError: the grammar is none.
    """

    def __init__(
        self, native: Native, *, temperature: float, top_p: float, seed: int, grammar: str | None
    ) -> None:
        self._native = native
        self._context, vocabulary = native.handles
        self._chain = c.llama_sampler_chain_init(c.llama_sampler_chain_default_params())
        for sampler in _samplers(temperature, top_p, seed):
            c.llama_sampler_chain_add(self._chain, sampler)
        self._unwritten = native.unwritten
        self._grammar: Any = None
        if grammar is not None:
            self._grammar = c.llama_sampler_init_grammar(vocabulary, grammar.encode(), b"root")
            if not self._grammar:
                self.close()
                raise NativeError("the grammar of the output could not be read")

    def next(self, row: int) -> int:
        """Return the next token, from the logits of `row`.

        Most tokens satisfy the grammar, so it first judges the one that was drawn. Only when that
        is refused are all judged and another one drawn. With `top_p` 1 each then comes with the
        probability that it would have had, had all been judged at once; with less, `top_p` is
        measured anew among those that are allowed.
        """
        token: int = c.llama_sampler_sample(self._chain, self._context, row)
        if self._grammar is None:
            return token
        if not self.allows(token):
            token = self._draw_allowed(row)
        self.accept(token)
        return token

    def accept(self, token: int) -> None:
        """Let the grammar know what came."""
        c.llama_sampler_accept(self._grammar, token)

    def close(self) -> None:
        """Free the memory."""
        c.llama_sampler_free(self._chain)
        if self._grammar:
            c.llama_sampler_free(self._grammar)

    def allows(self, token: int) -> bool:
        """Tell whether the grammar lets `token` come next."""
        if token in self._unwritten:
            return False
        one = (c.llama_token_data * 1)(c.llama_token_data(token, 0.0, 0.0))
        self._judge(one, 1)
        return bool(one[0].logit != _REFUSED)

    def _draw_allowed(self, row: int) -> int:
        logits = self._native.logits(row)
        candidates = np.zeros(len(logits), _CANDIDATE)
        candidates["id"] = np.arange(len(logits))
        candidates["logit"] = logits
        candidates["logit"][list(self._unwritten)] = _REFUSED
        array = self._judge(candidates.ctypes.data_as(c.llama_token_data_p), len(candidates))
        if candidates["logit"].max() == _REFUSED:
            raise NativeError("the grammar allows no token here")
        c.llama_sampler_apply(self._chain, ctypes.byref(array))
        token: int = array.data[array.selected].id
        return token

    def _judge(self, candidates: Any, count: int) -> Any:
        """Let the grammar set the logit of each candidate that it refuses to minus infinity."""
        array = c.llama_token_data_array(
            data=ctypes.cast(candidates, c.llama_token_data_p),
            size=count,
            selected=-1,
            sorted=False,
        )
        c.llama_sampler_apply(self._grammar, ctypes.byref(array))
        return array


def _samplers(temperature: float, top_p: float, seed: int) -> list[Any]:
    if temperature <= 0:
        return [c.llama_sampler_init_greedy()]
    # The highest is llama.cpp's name for "any seed".
    known = min(seed & 0xFFFFFFFF, 0xFFFFFFFE)
    drawn = [c.llama_sampler_init_temp(temperature), c.llama_sampler_init_dist(known)]
    return drawn if top_p >= 1 else [c.llama_sampler_init_top_p(top_p, 1), *drawn]
