async def test_client_hears_what_is_said(double, channel, alice, bot):
    message = alice.say(channel, "How many days of leave?")
    await double.until(lambda: bot.heard)

    heard = bot.heard[0]

    assert (heard.id, heard.content) == (message.id, "How many days of leave?")
    assert heard.author.name == "alice"
    assert heard.guild.name == "acme"
