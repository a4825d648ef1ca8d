"""Calls of Discord's API: none rings anybody, and what fails is told in a line.

Buttons and texts are sent as they are, not as views of discord.py: it would keep each view for as
long as the process lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import aiohttp
import discord
from discord.http import Route

from citewell import DeliveryError
from citewell_discord.encoding import Payload
from citewell_discord.logs import redacted

Json: TypeAlias = "dict[str, Any]"

V2: Final = 1 << 15
EPHEMERAL: Final = 1 << 6
NOBODY: Final[Mapping[str, object]] = {"parse": [], "replied_user": False}

UNKNOWN_CHANNEL: Final = 10003
UNKNOWN_MESSAGE: Final = 10008
THREAD_ARCHIVED: Final = 50083
THREAD_EXISTS: Final = 160004
NO_HISTORY: Final = 160002

_LOGIN_S: Final = 30.0
_HINTS: Final[Mapping[int, str]] = {
    10003: "the channel is gone",
    10008: "the message is gone",
    50001: "let the bot view the channel",
    50007: "this person takes no direct messages",
    50013: "give the bot the rights that `citewell discord invite` asks for",
}


class Refused(DeliveryError):
    """Discord refused a call.

    Attributes:
        status: of HTTP.
        code: of Discord, 0 where there is none.
    """

    def __init__(self, message: str, *, status: int, code: int, retry_after_s: float = 0.0) -> None:
        passes = status == 429 or status >= 500
        super().__init__(message, passes=passes, retry_after_s=retry_after_s)
        self.status = status
        self.code = code

    @property
    def is_gone(self) -> bool:
        """Whether what was called for is not there."""
        return self.status == 404


class Calls:
    """Calls the API through the client that is logged in; waits for one for a while."""

    def __init__(self) -> None:
        self._client: discord.Client | None = None
        self._logged_in = asyncio.Event()

    def use(self, client: discord.Client | None) -> None:
        """Call through this client from now on, or through none."""
        self._client = client
        if client is None:
            self._logged_in.clear()
        else:
            self._logged_in.set()

    async def client(self) -> discord.Client:
        """Return the client, once it is logged in.

        Raises:
            DeliveryError: it is not, for long.
        """
        try:
            async with asyncio.timeout(_LOGIN_S):
                await self._logged_in.wait()
        except TimeoutError as error:
            raise DeliveryError("discord cannot be reached yet", passes=True) from error
        if self._client is None:
            raise DeliveryError("discord was just left", passes=True)
        return self._client

    # --- messages of channels --------------------------------------------------------------

    async def post(
        self,
        channel: str,
        components: list[Payload],
        *,
        nonce: str,
        answers: str = "",
        roles: tuple[str, ...] = (),
    ) -> str:
        """Post a message as `post_once` does, and return its id."""
        posted = await self.post_once(
            channel, components, nonce=nonce, answers=answers, roles=roles
        )
        return str(posted["id"])

    async def post_once(
        self,
        channel: str,
        components: list[Payload],
        *,
        nonce: str,
        answers: str = "",
        roles: tuple[str, ...] = (),
    ) -> Json:
        """Post a message, once for each nonce within some minutes, and return what stands there.

        That is what an earlier call posted, which may say something else.

        Args:
            channel: or thread.
            components: of the message.
            nonce: at most 25 characters.
            answers: id of the message that it answers.
            roles: ids of roles that it rings.
        """
        body: Payload = {
            "components": components,
            "flags": V2,
            "nonce": nonce,
            "enforce_nonce": True,
            "allowed_mentions": {**NOBODY, "roles": list(roles)} if roles else NOBODY,
        }
        if answers:
            body["message_reference"] = {"message_id": answers, "fail_if_not_exists": False}
        path = "/channels/{channel_id}/messages"
        posted: Json = await self.do("POST", path, body, channel_id=channel)
        return posted

    async def change(self, channel: str, message: str, components: list[Payload]) -> None:
        """Let a message of our own show something else."""
        body: Payload = {"components": components, "flags": V2, "allowed_mentions": NOBODY}
        path = "/channels/{channel_id}/messages/{message_id}"
        await self.do("PATCH", path, body, channel_id=channel, message_id=message)

    async def delete(self, channel: str, message: str) -> None:
        """Take a message away, if it is there."""
        path = "/channels/{channel_id}/messages/{message_id}"
        await self._gone("DELETE", path, channel_id=channel, message_id=message)

    async def has(self, channel: str, message: str) -> bool:
        """Tell whether a message is there; what we may not know counts as being there."""
        path = "/channels/{channel_id}/messages/{message_id}"
        try:
            await self.do("GET", path, channel_id=channel, message_id=message)
        except Refused as refusal:
            return not refusal.is_gone
        return True

    async def history(self, channel: str, *, after: str) -> list[Json]:
        """Return the next hundred messages after an id, newest first."""
        return list(
            await self.do(
                "GET",
                "/channels/{channel_id}/messages",
                query={"after": after, "limit": "100"},
                channel_id=channel,
            )
        )

    async def type(self, channel: str) -> None:
        """Be seen typing for some seconds."""
        await self.do("POST", "/channels/{channel_id}/typing", channel_id=channel)

    async def start_thread(self, channel: str, message: str, name: str) -> None:
        """Start the thread of a message, whose id it has; it may be there already."""
        path = "/channels/{channel_id}/messages/{message_id}/threads"
        body: Payload = {"name": name, "auto_archive_duration": 1440}
        try:
            await self.do("POST", path, body, channel_id=channel, message_id=message)
        except Refused as refusal:
            if refusal.code != THREAD_EXISTS:
                raise

    async def wake(self, thread: str) -> None:
        """Let a thread be active again."""
        await self.do("PATCH", "/channels/{channel_id}", {"archived": False}, channel_id=thread)

    async def direct(self, user: str) -> str:
        """Return the id of the conversation with somebody."""
        opened = await self.do("POST", "/users/@me/channels", {"recipient_id": user})
        return str(opened["id"])

    # --- messages of interactions ----------------------------------------------------------

    async def answer(self, interaction: str, token: str, components: list[Payload]) -> None:
        """Answer an interaction that was not acknowledged yet, for who asked alone."""
        data: Payload = {
            "components": components,
            "flags": V2 | EPHEMERAL,
            "allowed_mentions": NOBODY,
        }
        await self.do(
            "POST",
            "/interactions/{interaction_id}/{token}/callback",
            {"type": 4, "data": data},
            interaction_id=interaction,
            token=token,
        )

    async def follow_up(self, application: str, token: str, components: list[Payload]) -> str:
        """Post one more message for who asked alone, and return its id."""
        body: Payload = {
            "components": components,
            "flags": V2 | EPHEMERAL,
            "allowed_mentions": NOBODY,
        }
        path = "/webhooks/{webhook_id}/{webhook_token}"
        posted = await self.do(
            "POST",
            path,
            body,
            query={"wait": "true"},
            webhook_id=application,
            webhook_token=token,
        )
        return str(posted["id"])

    async def change_answer(
        self, application: str, token: str, message: str, components: list[Payload]
    ) -> str:
        """Let an answer to an interaction show something else, and return its id."""
        body: Payload = {"components": components, "flags": V2, "allowed_mentions": NOBODY}
        changed = await self._of_answer("PATCH", application, token, message, body)
        return str(changed["id"])

    async def read_answer(self, application: str, token: str, message: str) -> Json:
        """Return an answer to an interaction."""
        found: Json = await self._of_answer("GET", application, token, message)
        return found

    async def delete_answer(self, application: str, token: str, message: str) -> None:
        """Take an answer to an interaction away, if it is there."""
        path = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"
        await self._gone(
            "DELETE", path, webhook_id=application, webhook_token=token, message_id=message
        )

    async def _of_answer(
        self, method: str, application: str, token: str, message: str, body: Payload | None = None
    ) -> Any:
        return await self.do(
            method,
            "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}",
            body,
            webhook_id=application,
            webhook_token=token,
            message_id=message,
        )

    # --- any call --------------------------------------------------------------------------

    async def do(
        self,
        method: str,
        path: str,
        body: Payload | None = None,
        *,
        query: Mapping[str, str] | None = None,
        **names: str,
    ) -> Any:
        """Call the API and return what it answers.

        Raises:
            Refused: it refuses.
            DeliveryError: it cannot be reached.
        """
        client = await self.client()
        options: dict[str, Any] = {} if body is None else {"json": body}
        if query is not None:
            options["params"] = query
        try:
            return await client.http.request(Route(method, path, **names), **options)
        except discord.HTTPException as error:
            raise refused(error, names.get("channel_id", "")) from error
        except discord.RateLimited as error:
            told = f"discord wants {error.retry_after:.0f} s of silence"
            raise DeliveryError(told, passes=True, retry_after_s=error.retry_after) from error
        except (aiohttp.ClientError, OSError, TimeoutError, RuntimeError) as error:
            # The session of a client that is being closed raises a `RuntimeError`.
            told = f"discord cannot be reached: {redacted(str(error))}"
            raise DeliveryError(told, passes=True) from error

    async def _gone(self, method: str, path: str, **names: str) -> None:
        try:
            await self.do(method, path, None, query=None, **names)
        except Refused as refusal:
            if not refusal.is_gone:
                raise


def refused(error: discord.HTTPException, channel: str = "") -> Refused:
    """Return what discord.py says as a line, which names no token."""
    where = f" in channel {channel}" if channel else ""
    why = error.text.splitlines()[0] if error.text else "no reason given"
    hint = _HINTS.get(error.code)
    told = f"discord refuses{where}: {why.lower().rstrip('.')} ({error.code or error.status})"
    return Refused(f"{told}; {hint}" if hint else told, status=error.status, code=error.code)
