"""The model card says what the files are, and nothing about the machine they were made on."""

import pytest
from msgspec.structs import replace

import tunings
from citewell.tuning.recipes.reading import load_recipe
from citewell.tuning.runs.card import card
from citewell.tuning.runs.happenings import Warned
from citewell.tuning.runs.hashing import file_hash, folder_hash
from citewell.tuning.runs.saying import facts_of


async def test_the_card_has_hashes_counts_recipe_licence_metrics_and_proof(bench):
    run, recipe = bench.new(head='license = "apache-2.0"')
    (record,) = await bench.work((run, recipe))

    said = (run.export / "card.md").read_text()

    assert said.startswith('---\nbase_model: "base"\nlicense: "apache-2.0"\n')
    for part in (
        f"| train | train.jsonl | 30 | 30 | {record.inputs.train.sha256} |",
        f"| base | base | | | {record.inputs.base_sha256} |",
        "4 of 4 steps in ",
        "validation 1.25.",
        "The adapter holds the weights of step 4.",
        "| logits 0.01, greedy 40 |",
        "Licence of the base: apache-2.0.",
        '```toml\nbase = "base"',
    ):
        assert part in said
    assert record.inputs.train.sha256 == file_hash(bench.folder / "train.jsonl")


async def test_the_card_names_no_folder_of_the_machine(bench):
    run, recipe = bench.new()
    await bench.work((run, recipe))

    said = (run.export / "card.md").read_text()
    assert str(bench.folder) not in said
    assert "not named in the recipe; look it up before you pass anything on" in said


async def test_no_path_of_a_recipe_is_on_the_card(bench):
    place = bench.folder / "secret client"
    place.mkdir()
    (place / "few.jsonl").touch()
    run, recipe = bench.new(
        head=f"# kept in {place}",
        export=f'samples = "{place}/few.jsonl"\nstarted = "a/b"',
    )
    content = recipe.content.decode().replace('"base"', f'"{bench.folder}/base/"')
    (record,) = await bench.work((run, replace(recipe, content=content.encode())))

    said = (run.export / "card.md").read_text()

    assert record.state == "done"
    assert '\nbase = "base"\n' in said
    assert '\nsamples = "few.jsonl"\nstarted = "a/b"\n' in said
    assert "secret client" not in said


async def test_samples_of_a_handed_adapter_are_not_called_what_it_learnt(bench):
    bench.recipe()
    tunings.adapter(bench.folder / "lora")
    tunings.write(bench.folder / "few.jsonl", map(tunings.chat, range(3)))
    path = bench.folder / "handed.toml"
    path.write_text(
        'base = "base"\nadapter = "lora"\n[data]\ntrain = "few.jsonl"\n[export]\nuse = "files"\n'
    )
    recipe = load_recipe(path, bench.registry)
    run = bench.runs.new(recipe)
    (record,) = await bench.work((run, recipe))

    said = (run.export / "card.md").read_text()

    assert record.state == "done"
    assert "| samples | few.jsonl | 3 | 3 |" in said
    assert "| train |" not in said
    assert b"datasets" not in (run.export / "adapter.gguf").read_bytes()
    assert not any(isinstance(one, Warned) for one in bench.happened)


async def test_what_a_recipe_holds_does_not_end_its_quotation(bench):
    run, recipe = bench.new(head='license = """```\n# A heading\n"""')
    (record,) = await bench.work((run, recipe))

    said = card(facts_of(record, run.events()), recipe)

    assert "````toml\n" in said


@pytest.mark.parametrize(
    "change",
    [
        lambda base: (base / "config.json").write_text("{}"),
        lambda base: (base / "config.json").rename(base / "other.json"),
        lambda base: (base / "further.txt").touch(),
    ],
)
def test_another_content_or_name_is_another_hash(tmp_path, change):
    base = tunings.base(tmp_path / "base")
    before = folder_hash(base)

    change(base)

    assert folder_hash(base) != before


def test_what_is_hidden_and_where_it_lies_change_no_hash(tmp_path):
    base = tunings.base(tmp_path / "base")
    before = folder_hash(base)

    (base / ".cache").mkdir()
    (base / ".cache" / "lock").touch()

    assert folder_hash(base.rename(tmp_path / "elsewhere")) == before
