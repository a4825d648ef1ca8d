"""What is said in a channel is told where all may read that channel, and nowhere else."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from citewell.chat import Address, Venue
from citewell_slack.testing.workspace import ChannelKind
from readership import Page, Spies, staged, write

_SECTION = """
[library.talk]
use = "{service}-history"
channels = [{channels}]
{secret} = {{ file = "token" }}
api_url = "{api_url}"
"""
_SECRETS = {"slack": "bot_token", "discord": "token"}
_LINKS = {
    "slack": "https://example.slack.com/archives/{channel}/p",
    "discord": "https://discord.com/channels/{team}/{channel}/",
}
EVERYONE = frozenset({"everyone"})
PEOPLE = range(3)
READ = ("a", "b")
PLACES = ("a", "b", "c")
# Reads what is posted in a public channel: whoever comes next.
ANYBODY = max(PEOPLE) + 1


@dataclass(eq=False)
class Talk:
    """People and channels, of which two are read.

    Attributes:
        members: of each channel.
        public: channels that whoever likes may open.
        pages: what was said in each of these.
    """

    service: str
    stage: object
    members: dict[str, frozenset[int]]
    public: frozenset[str] = frozenset()
    pages: dict[str, Page] = field(default_factory=lambda: {one: Page(EVERYONE) for one in READ})
    channels: dict[str, str] = field(default_factory=dict)
    people: list[str] = field(default_factory=list)

    async def begin(self):
        self.people = [self.stage.person() for _ in PEOPLE]
        for name in PLACES:
            self.channels[name] = await self.stage.channel(*self.people)
        for name, page in self.pages.items():
            said = {"channel": self.channels[name], "mention": False}
            await self.stage.chat.say(self.people[0], page.text, **said)
        for name in PLACES:
            self.readmit(name, self.members[name])
        for name in self.public:
            self.open(self.channels[name])
        await self.sync()

    async def sync(self):
        connection = self.stage.chat.settings
        folder = self.stage.bot.path.parent
        write(folder, ())
        secret = _SECRETS[self.service]
        (folder / "token").write_text(connection[secret])
        section = _SECTION.format(
            service=self.service,
            channels=", ".join(f'"{self.channels[one]}"' for one in READ),
            secret=secret,
            api_url=connection["api_url"],
        )
        path = self.stage.bot.path
        text = path.read_text().replace('libraries = ["docs"]', 'libraries = ["docs", "talk"]')
        path.write_text(f"{text}\n{section}")
        await self.stage.bot.reread()

    def readmit(self, place, members):
        if place not in self.public:
            self.members[place] = members
            self.stage.readmit(self.channels[place], *(self.people[one] for one in members))

    def open(self, channel):
        world = self.stage.chat.double
        if self.service == "slack":
            world.workspace.channels[channel].kind = ChannelKind.PUBLIC
        else:
            world.world.set_overwrites(world.world.channels[int(channel)], [])

    def readers(self, place):
        return self.members[place] | ({ANYBODY} if place in self.public else frozenset())

    def may_read(self, name, readers):
        return name in self.public or readers <= self.members[name]

    async def ask(self, person, topic, place):
        """Ask, and return who reads the answer, and what was said."""
        stage, who = self.stage, self.people[person]
        text = f"What does the {self.pages[topic].topic} file say?"
        before = len(stage.answers(who))
        if place == "direct":
            said = await stage.chat.say(who, text, mention=False)
            readers = frozenset({person})
        else:
            said = await stage.chat.say(who, text, channel=self.channels[place])
            readers = self.readers(place)
        await stage.until(
            lambda: len(stage.answers(who)) > before and not stage.bot.inbox.waiting(),
            lambda: "no answer",
        )
        seen = await stage.reply(said)
        return readers, "\n".join(one.text for one in seen)

    def asked(self, person):
        return self.stage.questions(self.people[person])[-1]

    def answered(self, person):
        return self.stage.answers(self.people[person])[0]


@pytest.fixture(scope="module")
def spies():
    heard = Spies()
    with heard.listening():
        yield heard


@pytest.fixture(scope="module", params=["slack", "discord"])
def service(request, spies):
    with staged(request.param) as (runner, stage):
        yield request.param, runner, stage


_SOME = st.frozensets(st.sampled_from(PEOPLE), min_size=1)
_ASK = st.tuples(
    st.sampled_from(PEOPLE), st.sampled_from(READ), st.sampled_from([*PLACES, "direct"])
)
_MOVE = st.tuples(st.sampled_from(PLACES), _SOME)


# To shrink an example would take minutes.
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[*HealthCheck],
)
@given(
    members=st.fixed_dictionaries(dict.fromkeys(PLACES, _SOME)),
    public=st.frozensets(st.sampled_from(PLACES)),
    play=st.lists(st.tuples(_MOVE, _ASK, _ASK), min_size=2, max_size=4),
)
def test_nobody_is_told_of_a_channel_that_they_may_not_open(service, spies, members, public, play):
    name, runner, stage = service
    talk = Talk(name, stage, dict(members), public)

    async def perform():
        await talk.begin()
        for (place, who), *asks in play:
            talk.readmit(place, who)
            for person, topic, where in asks:
                here = talk.members.get(where, frozenset({person}))
                spies.prompts.clear()
                readers, told = await talk.ask(min(here), topic, where)
                for one, page in talk.pages.items():
                    if not talk.may_read(one, readers):
                        assert page.canary not in told
                        assert not [prompt for prompt in spies.prompts if page.canary in prompt]
                if talk.may_read(topic, readers):
                    canary = talk.pages[topic].canary
                    assert any(canary in prompt for prompt in spies.prompts)

    runner.run(perform())


def test_all_who_may_open_a_public_channel_read_what_is_told_there(service, spies):
    name, runner, stage = service
    everybody = dict.fromkeys(PLACES, frozenset(PEOPLE))
    talk = Talk(name, stage, everybody | {"a": frozenset({0})}, frozenset({"a"}))

    async def shown(person, topic, place):
        spies.prompts.clear()
        await talk.ask(person, topic, place)
        return any(talk.pages[topic].canary in one for one in spies.prompts)

    async def perform():
        await talk.begin()

        assert not await shown(0, "b", "a")
        assert await shown(1, "a", "c")
        assert await shown(1, "a", "direct")

    runner.run(perform())


def test_a_citation_opens_the_very_message(service, spies):
    name, runner, stage = service
    talk = Talk(name, stage, dict.fromkeys(PLACES, frozenset(PEOPLE)))

    async def perform():
        await talk.begin()
        await talk.ask(0, "a", "a")
        team = talk.asked(0).venue.team
        venue = Venue(platform=name, team=team, channel=talk.channels["a"])
        address = Address(venue=venue, only_for=talk.people[0])
        quoted = await stage.bot.host.quotes(talk.answered(0).id, address)

        link = _LINKS[name].format(team=team, channel=talk.channels["a"])
        assert any(one.place.uri.startswith(link) for one in quoted)
        assert all("person" in " ".join(one.place.headings) for one in quoted)

    runner.run(perform())
