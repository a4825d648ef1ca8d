"""What TRL is given to learn from, as `trl_lessons` tells it from a process of its own."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import trainings

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="what trains is not installed")

LESSONS = Path(trainings.__file__).with_name("trl_lessons.py")
SYSTEM = trainings.said("system", "Answer from the documents.")
EARLIER = [trainings.said("user", "Hello"), trainings.said("assistant", "Good day.")]
OWN = "{% for one in messages %}<{{ one['role'] }}>{{ one['content'] }}{% endfor %}"
REFUSING = "{{ raise_exception('roles must alternate') }}"


def without_template(folder):
    made = shutil.copytree(trainings.base(), folder / "untemplated")
    (made / "chat_template.jinja").unlink()
    return made


def without_a_tensor(folder):
    """Name a tensor otherwise than the model does, so that its own is missing."""
    made = shutil.copytree(trainings.base(), folder / "lacking")
    weights = made / "model.safetensors"
    content = weights.read_bytes().replace(b"model.norm.weight", b"model.form.weight")
    weights.write_bytes(content)


@pytest.fixture(scope="module")
def lessons(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lessons")
    question, answer = trainings.row("sft", 1)["messages"]
    trainings.write(folder / "sft.jsonl", [{"messages": [SYSTEM, *EARLIER, question, answer]}])
    trainings.write(folder / "text.jsonl", [{"text": trainings.GOOD}])
    trainings.write(folder / "dpo.jsonl", [trainings.row("dpo", 1)])
    trainings.write(folder / "kto.jsonl", [trainings.row("kto", at) for at in (1, 2, 4, 6)])
    (folder / "own.jinja").write_text(OWN)
    (folder / "refusing.jinja").write_text(REFUSING)
    without_template(folder)
    without_a_tensor(folder)
    done = subprocess.run(
        [sys.executable, LESSONS, trainings.base(), folder],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def plain(text):
    return text.replace("<|endoftext|>", "")


def test_of_a_chat_the_last_answer_alone_is_learnt(lessons):
    (row,) = lessons["sft"]["rows"]

    assert plain(row["learnt"]) == f"{trainings.GOOD}<|im_end|>\n"
    assert row["read"].startswith("<|im_start|>system\nAnswer from the documents.<|im_end|>\n")
    assert "Good day." in row["read"]
    assert plain(row["read"]).endswith("1<|im_end|>\n<|im_start|>assistant\n")


def test_of_a_text_everything_is_learnt_and_its_end(lessons):
    (row,) = lessons["text"]["rows"]

    assert row["learnt"] == f"{trainings.GOOD}<|im_end|>"
    assert not plain(row["read"])


def test_of_preferences_and_votes_the_answers_are_compared(lessons):
    chosen, rejected = lessons["dpo"]["rows"]
    (vote,) = lessons["kto"]["rows"]

    assert plain(chosen["learnt"]) == plain(vote["learnt"]) == f"{trainings.GOOD}<|im_end|>\n"
    assert plain(rejected["learnt"]) == f"{trainings.BAD}<|im_end|>\n"
    assert plain(chosen["read"]) == plain(rejected["read"]) == plain(vote["read"])


def test_the_rarer_votes_count_as_much_as_the_others(lessons):
    arguments = lessons["kto"]["arguments"]

    assert (arguments["desirable_weight"], arguments["undesirable_weight"]) == (1, 3)


@pytest.mark.parametrize("name", ["sft", "text", "dpo", "kto"])
def test_nothing_is_cut_and_nobody_is_told(lessons, name):
    arguments = lessons[name]["arguments"]

    assert arguments["max_length"] is None
    assert arguments["report_to"] == []
    assert not arguments["push_to_hub"]
    assert not arguments["trust_remote_code"]


def test_tokens_are_those_that_are_computed(lessons):
    text = lessons["text"]["tokens"]

    assert text < lessons["sft"]["tokens"]
    assert lessons["dpo"]["tokens"] > 2 * text


def test_a_target_that_the_layers_do_not_have_is_refused_with_those_that_they_have(lessons):
    assert lessons["targets"] == (
        'targets names "qproj", which the layers of the model do not have; expected some of '
        "down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj"
    )


def test_weights_that_would_be_random_are_refused(lessons):
    assert "its weights lack model.norm.weight" in lessons["lacking"]


def test_without_a_chat_template_chats_are_refused_and_texts_are_not(lessons):
    assert "has no chat template" in lessons["untemplated"]
    assert "set chat_template" in lessons["untemplated"]
    assert not lessons["text needs none"]


def test_a_chat_template_of_ones_own_is_taken(lessons):
    assert lessons["own"] == "<user>Hi"


def test_examples_that_are_all_too_long_are_refused(lessons):
    assert "longer than 9 tokens, the shortest has" in lessons["too long"]


def test_an_example_that_the_template_refuses_is_named_with_its_line(lessons):
    assert "sft.jsonl:1: the chat template refuses the messages: roles must" in lessons["refused"]


def test_what_whoever_trains_should_know_is_said(lessons):
    threads, unlike, endless, tried, votes = lessons["notices"]

    assert "threads = 1 would" in threads
    assert "1 of 1 prompts otherwise once an answer follows" in unlike
    assert "may not learn to stop" in endless
    assert tried == "3 validation examples are too long and are left out"
    assert votes == "all votes are up; kto learns better from both"
