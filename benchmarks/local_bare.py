"""Asks bare llama-cpp-python: `python -m benchmarks.local_bare MODEL USERS QUESTIONS [options]`.

One `Llama`, as its documentation shows it, with its own defaults. It is for one caller at a time,
so the users take turns. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from llama_cpp import Llama
from llama_cpp.llama_cache import LlamaRAMCache
from llama_cpp.llama_grammar import LlamaGrammar

from benchmarks.conversations import ANSWER_TOKENS, CONTEXT, prompts
from citewell import chat_messages
from citewell_llamacpp import grammar


def main(
    model: Path, *, users: int, questions: int, constrained: bool, cached: bool
) -> dict[str, object]:
    llama = Llama(str(model), n_ctx=CONTEXT, verbose=False)
    if cached:
        llama.set_cache(LlamaRAMCache())
    rules = LlamaGrammar.from_string(grammar.marks(2), verbose=False) if constrained else None
    conversations = [prompts(user, count=1 + questions) for user in range(users)]
    answers: list[list[Any]] = [[] for _ in range(users)]
    inputs: list[list[list[int]]] = [[] for _ in range(users)]
    begin = 0.0
    for at in range(1 + questions):
        if at == 1:
            begin = time.perf_counter()
        for user, conversation in enumerate(conversations):
            messages: Any = chat_messages(conversation[at])
            answer: Any = llama.create_chat_completion(
                messages, max_tokens=ANSWER_TOKENS, temperature=0.0, grammar=rules
            )
            answers[user].append(answer)
            inputs[user].append(llama.input_ids[: answer["usage"]["prompt_tokens"]].tolist())
    seconds = time.perf_counter() - begin
    llama.close()
    asked = [answer for user in answers for answer in user[1:]]
    return {
        "seconds": seconds,
        "output_tokens": sum(one["usage"]["completion_tokens"] for one in asked),
        "texts": [one["choices"][0]["message"]["content"] for one in asked],
        "shared_tokens": [
            _shared(before, after) for user in inputs for before, after in pairwise(user)
        ],
    }


def _shared(before: list[int], after: list[int]) -> int:
    pairs = zip(before, after, strict=False)
    return next(at for at, (one, other) in enumerate(pairs) if one != other)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("users", type=int)
    parser.add_argument("questions", type=int)
    parser.add_argument("--grammar", action="store_true", help="with the grammar of citation marks")
    parser.add_argument("--cache", action="store_true", help="with a LlamaRAMCache")
    given = parser.parse_args()
    found = main(
        given.model,
        users=given.users,
        questions=given.questions,
        constrained=given.grammar,
        cached=given.cache,
    )
    print(json.dumps(found))
