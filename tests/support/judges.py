"""Environments in which judges run: with a stand-in that misbehaves on request, or the packages.

The stand-in looks like ragas and like deepeval as far as the plugin uses them. It asks the model
once, and its score is the rating that the model gives, unless the question says what to do instead.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from citewell.engine.trust import Trust

_BEHAVING = '''
import ctypes, json, os, signal, socket, struct, subprocess, sys, time


class Rating:
    """What a pydantic model of one number would be."""

    def __init__(self, rating):
        self.rating = rating

    @classmethod
    def model_json_schema(cls):
        properties = {"rating": {"type": "number"}}
        return {"type": "object", "properties": properties, "required": ["rating"]}

    @classmethod
    def model_validate(cls, value):
        return cls(float(value["rating"]))


def behave(question):
    """Do what the question says; return the score, where it says one."""
    word, _, rest = question.partition(" ")
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "leave":
        os._exit(3)
    elif word == "hang":
        time.sleep(600)
    elif word == "chatter":
        print("chatter", flush=True)
        print("chatter", file=sys.stderr, flush=True)
        os.write(1, b"chatter\\n")
    elif word == "forge":
        # As code would that knows how the parent is told.
        for descriptor in range(3, 20):
            try:
                os.write(descriptor, b"no message\\n")
            except OSError:
                pass
    elif word == "number":
        return float(rest)
    elif word == "fail":
        raise RuntimeError("in\\n two lines \\x1b[31m")
    elif word == "tell":
        names = [name for name in os.environ if name.endswith(("OPT_OUT", "TRACK", "KEY"))]
        is_home = os.path.samefile(os.getcwd(), os.environ["HOME"])
        raise RuntimeError(json.dumps([names, os.listdir(), is_home]))
    elif word == "connect":
        for reach in (
            lambda: socket.create_connection(("127.0.0.1", int(rest))),
            lambda: socket.getaddrinfo("example.org", 443),
            lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", int(rest))),
            lambda: subprocess.run(["true"]),
            lambda: os.system("true"),
        ):
            try:
                reach()
            except PermissionError:
                continue
            return 0.0
        return 1.0
    elif word == "natively":
        # What no hook of Python's sees.
        here = struct.pack("=HH4B8x", socket.AF_INET, socket.htons(int(rest)), 127, 0, 0, 1)
        libc = ctypes.CDLL(None)
        reached = libc.connect(libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0), here, 16) == 0
        return 0.0 if reached else 1.0
    return None
'''
_RAGAS = """
from behaving import Rating, behave


class Result:
    def __init__(self, value):
        self.value = value


class Faithfulness:
    def __init__(self, llm):
        self.llm = llm

    async def ascore(self, user_input, response, retrieved_contexts):
        score = behave(user_input)
        if score is None:
            score = (await self.llm.agenerate(f"{user_input} {response}", Rating)).rating
        return Result(score)


class AnswerAccuracy(Faithfulness):
    async def ascore(self, user_input, response, reference):
        return await super().ascore(user_input, response, [reference])


class ContextRecall(Faithfulness):
    async def ascore(self, user_input, retrieved_contexts, reference):
        return await super().ascore(user_input, reference, retrieved_contexts)
"""
_DEEPEVAL = """
from behaving import Rating, behave


class FaithfulnessMetric:
    def __init__(self, model, include_reason, async_mode):
        self.model = model

    def measure(self, case):
        score = behave(case.input)
        if score is None:
            asked = f"{case.input} {case.actual_output} {case.retrieval_context}"
            score = self.model.generate(asked, Rating).rating
        return score


class AnswerRelevancyMetric(FaithfulnessMetric):
    pass
"""
_CASE = """
class LLMTestCase:
    def __init__(self, **given):
        self.__dict__.update(given)
"""
_FILES: Mapping[str, str] = {
    "behaving.py": _BEHAVING,
    "ragas/__init__.py": "",
    "ragas/llms/__init__.py": "",
    "ragas/llms/base.py": "class InstructorBaseRagasLLM:\n    pass\n",
    "ragas/metrics/__init__.py": "",
    "ragas/metrics/collections.py": _RAGAS,
    "ragas-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: ragas\nVersion: 1\n",
    "deepeval/__init__.py": "",
    "deepeval/metrics.py": _DEEPEVAL,
    "deepeval/models.py": "class DeepEvalBaseLLM:\n    pass\n",
    "deepeval/test_case.py": _CASE,
    "deepeval-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: deepeval\nVersion: 1\n",
}


def bare(folder: Path, *, trusted: bool = True) -> Path:
    """Make an environment that holds nothing; return its folder."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    if trusted:
        trust(folder)
    return folder


def trust(environment: Path) -> None:
    """Trust an environment, as `citewell plugins trust` does."""
    marker = environment / "pyvenv.cfg"
    Trust().add(marker, marker.read_bytes())


def stand_in(folder: Path) -> Path:
    """Make an environment that holds the stand-in; return its folder."""
    bare(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name, text in _FILES.items():
        path = packages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def installed(requirements: Path, folder: Path) -> Path:
    """Make an environment that holds pinned packages; return its folder."""
    bare(folder)
    done = subprocess.run(
        [
            *[sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install"],
            *["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"],
            *["--requirement", requirements],
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if "Could not find a version" in done.stderr or "NewConnectionError" in done.stderr:
        pytest.skip(f"packages cannot be had here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return folder
