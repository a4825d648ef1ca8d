"""Nobody reads through the bot what they may not read, whoever joins, leaves, or is relabelled."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readership import GROUPS, LABELS, Page, Scene, Spies, staged

_LABELS = st.frozensets(st.sampled_from(LABELS), min_size=1, max_size=3)
_GROUPS = st.frozensets(st.sampled_from(sorted(GROUPS)))
_PEOPLE = st.integers(0, 2)
_PAGES = st.integers(0, 3)
_MEMBERS = st.frozensets(_PEOPLE, min_size=1)
_ASKS = st.tuples(
    st.just("ask"),
    _PEOPLE,
    _PAGES,
    st.sampled_from(["channel", "thread", "thread", "thread", "direct", "private"]),
)
_RELABELLED = st.tuples(
    st.just("relabel"), _PAGES, st.frozensets(st.sampled_from(LABELS), max_size=3)
)
_CHANGES = st.one_of(
    _RELABELLED,
    _RELABELLED,
    st.tuples(st.just("regroup"), _PEOPLE, _GROUPS),
    st.tuples(st.just("readmit"), _MEMBERS),
    st.tuples(st.just("declare"), st.none() | _LABELS),
)
_PLAYS = st.lists(st.tuples(_CHANGES, _ASKS, _PEOPLE), min_size=3, max_size=6)
_SCENES = {
    "labels": st.lists(_LABELS, min_size=4, max_size=4),
    "groups": st.lists(_GROUPS, min_size=3, max_size=3),
    "members": _MEMBERS,
    "first": _ASKS,
    "play": _PLAYS,
}


@pytest.fixture(scope="module")
def spies():
    heard = Spies()
    with heard.listening():
        yield heard


@pytest.fixture(scope="module")
def plainchat(spies):
    with staged("plainchat") as opened:
        yield opened


@pytest.fixture(scope="module", params=["slack", "discord"])
def service(request, spies):
    with staged(request.param) as opened:
        yield opened


async def performed(stage, spies, scene, first, play):
    spies.prompts.clear()
    spies.logged.clear()
    await scene.begin()
    await asked(spies, scene, first)
    for (what, *how), ask, looker in play:
        await getattr(scene, what)(*how)
        await asked(spies, scene, ask)
        await looked(scene, looker)
    canaries = [page.canary for page in scene.pages]
    assert not [line for line in spies.logged if any(one in line for one in canaries)]


async def asked(spies, scene, ask):
    """Ask, and assert that all of what may be read is found, and nothing else is told."""
    _, person, number, way = ask
    if way in {"channel", "thread", "private"} and person not in scene.members:
        person = min(scene.members)
    alone = person if way in {"direct", "private"} else None
    spies.prompts.clear()
    told = await scene.ask(person, number, way)

    hidden = scene.hidden(alone=alone)
    for text in (*spies.prompts, told):
        assert not [one for one in hidden if one in text], (hidden, text)
    canary = scene.pages[number].canary
    if canary not in hidden:
        assert any(canary in prompt for prompt in spies.prompts)
        assert canary in told


async def looked(scene, person):
    """Look at the answers of before, and assert that they show no more than may be read now."""
    for alone, texts in ((person, await scene.quoted(person)), (None, await scene.handed())):
        hidden = scene.hidden(alone=alone)
        for text in texts:
            assert not [one for one in hidden if one in text], (hidden, text)


def perform(opened, spies, *, labels, groups, members, first, play):
    runner, stage = opened
    scene = Scene(stage, [Page(one) for one in labels], [*groups], members)
    runner.run(performed(stage, spies, scene, first, play))


@settings(max_examples=25, suppress_health_check=[*HealthCheck])
@given(**_SCENES)
def test_nobody_is_told_what_they_may_not_read(plainchat, spies, **scene):
    perform(plainchat, spies, **scene)


@settings(max_examples=5, suppress_health_check=[*HealthCheck])
@given(**_SCENES)
def test_nobody_is_told_in_a_real_service_what_they_may_not_read(service, spies, **scene):
    perform(service, spies, **scene)


@pytest.mark.parametrize("change", ["relabel", "delete"])
@pytest.mark.parametrize("way", ["alone", "within what another source supports"])
def test_what_an_answer_repeats_of_an_earlier_one_goes_with_its_source(
    plainchat, spies, way, change
):
    runner, stage = plainchat
    secret, other = Page(frozenset({"everyone"})), Page(frozenset({"everyone"}))
    scene = Scene(stage, [secret, other], [frozenset()], frozenset({0}))
    mixed = f"{other.text.removesuffix('.')} {secret.canary} [1]."

    async def play():
        await scene.begin()
        assert secret.canary in await scene.ask(0, 0, "channel")
        await scene.sync(said=secret.text if way == "alone" else mixed)
        await scene.profile("parrot")
        assert secret.canary in await scene.ask(0, 1, "thread")
        await scene.profile("default")
        await scene.relabel(0, frozenset({"red"} if change == "relabel" else ()))
        spies.prompts.clear()
        assert secret.canary not in await scene.ask(0, 1, "thread")

        assert spies.prompts
        assert not [prompt for prompt in spies.prompts if secret.canary in prompt]
        await looked(scene, 0)

    runner.run(play())
