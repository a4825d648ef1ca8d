"""What documents, models and people write pings nobody, links nowhere and loads nothing."""

import pytest

from hostility import WAYS, library_of, perform
from readership import staged

HOSTILE = (
    "@everyone", "@here", "@channel", "<!channel>", "<!here>", "<!here|here>", "<!everyone>",
    "<@U1>", "<@U00000001>", "<@W1>", "<@B1>", "<!subteam^S1>", "<!subteam^S1|@helpers>",
    "<#C1>", "<#C00000001|general>", "<@123456789012345678>", "<@!123456789012345678>",
    "<@&123456789012345678>", "<#123456789012345678>", "</ask:123456789012345678>",
    "<id:customize>", "<a:x:123456789012345678>", "<:x:123456789012345678>",
    "@\u200beveryone", "@\u200b\u200beveryone", "<\u200b@U1>", "<@\u200bU1>", "\u202e@everyone",
    "\u202e<@U1>\u202c", "\u202eenoyreve@\u202c", "\\@everyone", "\\\\@everyone", "\\<@U1>",
    "`@everyone`", "``@everyone`", "```@everyone", "||@everyone||", "**@everyone**", "~~<@U1>~~",
    "&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;", "&#60;!channel&#62;", "\uff1c!channel\uff1e",
    "[x](https://evil.example)", "[x](<https://evil.example>)", "[x]( https://evil.example )",
    "[x](https://evil.example 'title')", "[x][1] and [1]: https://evil.example",
    "[x](//evil.example)", "[x](javascript:alert(1))", "[x](data:text/html,evil)",
    "[https://docs.example/](https://evil.example)", "[\u202ex\u202c](https://evil.example)",
    "![x](https://evil.example/p.png)", "![](https://evil.example/p.png)",
    "[![x](https://evil.example/p.png)](https://evil.example)", "!\\[x](https://evil.example/p)",
    "https://evil.example", "http://evil.example/p?q=1&r=2#s", "HTTPS://EVIL.EXAMPLE",
    "hTTps://evil.example", "www.evil.example", "evil.example/path", "ftp://evil.example",
    "mailto:a@evil.example", "a@evil.example", "tel:+4711", "slack://user?team=T1&id=U1",
    "discord://evil", "steam://run/1", "file:///etc/passwd", "javascript:alert(1)",
    "<https://evil.example>", "<https://evil.example|docs.example>", "<mailto:a@evil.example|a>",
    "<!date^1392734382^{date}^https://evil.example|then>", "<https://evil.example|@everyone>",
    "discord.gg/evil", "https://discord.gg/evil", "discord.com/invite/evil", "dis.gd/evil",
    "discordapp.com/invite/evil", "ht\u200btps://evil.example", "https:\u200b//evil.example",
    "https\u202e://evil.example", "https://evil.example\u202c", "https:/\u2060/evil.example",
    "\u2066https://evil.example\u2069", "(https://evil.example)", "x](https://evil.example)[y",
    "<a href='https://evil.example'>x</a>", "<img src=https://evil.example/p.png>",
    "<script>fetch('https://evil.example')</script>", "<iframe src='//evil.example'></iframe>",
    "<style>@import 'https://evil.example'</style>", ":tada:",
)  # fmt: skip


@pytest.fixture(scope="module", params=["slack", "discord"])
def opened(request):
    with staged(request.param, library_of(HOSTILE)) as stage:
        yield stage


@pytest.mark.parametrize("way", WAYS)
def test_what_is_hostile_does_nothing(opened, way):
    perform(opened, HOSTILE, way)
