import asyncio

import pytest

import tunings
from citewell.engine.registry import Registry
from citewell.tuning.recipes.reading import load_recipe
from citewell.tuning.runs.adapting import Place
from citewell.tuning.runs.running import Terms, run_all
from citewell.tuning.runs.store import Runs
from citewell.tuning.runs.working import Work


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    """Return what is offered, a trainer that takes no time among it."""
    with pytest.MonkeyPatch.context() as patch:
        tunings.install(tmp_path_factory.mktemp("site"), patch)
        return Registry.load()


class Bench:
    """Makes runs, and works on them as the command line does."""

    def __init__(self, folder, registry):
        self.folder = folder
        self.registry = registry
        self.runs = Runs(folder / "data")
        self.happened = []
        self.answer = True

    def recipe(self, **settings):
        return load_recipe(tunings.recipe(self.folder, **settings), self.registry)

    def new(self, **settings):
        recipe = self.recipe(**settings)
        return self.runs.new(recipe), recipe

    async def confirm(self, _estimated):
        return self.answer

    async def work(self, *pairs, meanwhile=None):
        """Work on runs with their recipes; `meanwhile` is given the first of them."""
        works = [(Work(run, self.happened.append), recipe) for run, recipe in pairs]
        for work, _ in works:
            if work.record.state != "waiting":
                work.enter(work.record.state.WAITING)
        beside = None if meanwhile is None else asyncio.create_task(meanwhile(works[0][0]))
        try:
            terms = Terms(place=Place(self.runs.data_dir), confirm=self.confirm)
            return await run_all(works, terms)
        finally:
            if beside is not None:
                await beside
            for work, _ in works:
                work.close()

    async def until(self, is_so):
        """Wait until something is so that no event tells."""
        while not is_so():  # noqa: ASYNC110 - it stands in files
            await asyncio.sleep(0.02)

    def kinds(self):
        return [type(one).__name__ for one in self.happened]

    def states(self):
        return [one.state.value for one in self.happened if type(one).__name__ == "Entered"]


@pytest.fixture
def bench(tmp_path, registry):
    return Bench(tmp_path, registry)
