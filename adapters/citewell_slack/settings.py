"""Settings of an `[adapter.NAME]` that uses Slack."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, SecretStr, model_validator

from citewell import ApiUrl, Config
from citewell.chat import ChatConfig
from citewell_slack.manifest import COMMAND

_GROUP_ID = re.compile("S[A-Z0-9]{6,}")
_GIVEN_AS = "given as { env = NAME } or { file = PATH }"


def channel_of(group: str) -> str | None:
    """Return the channel whose members a group is; None for a user group."""
    sign, _, channel = group.rpartition(":")
    return channel if sign == "channel" else None


class HttpConfig(Config):
    """Where requests of Slack come in."""

    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(default=3000, ge=0, le=65535, description="port to listen on; 0: any")
    path: str = Field(default="/slack/events", pattern="^/", description="path of the request URL")


class HandOffConfig(Config):
    """Who is asked instead of the assistant."""

    channel: str = Field(pattern="^[CG]", description="id of the channel that they are told in")
    group: str | None = Field(
        default=None, pattern="^S", description="id of the user group that is mentioned there"
    )


class PromptConfig(Config):
    """A question that the messages tab suggests."""

    title: str = Field(min_length=1, max_length=150, description="what stands on it")
    message: str = Field(min_length=1, max_length=3000, description="what is asked with it")


class OAuthConfig(Config):
    """How other workspaces install the app."""

    client_id: str = Field(min_length=1, description="of the app")
    client_secret: SecretStr = Field(description=_GIVEN_AS)
    redirect_uri: str | None = Field(
        default=None,
        pattern="^https?://",
        description="public address of /slack/oauth_redirect; default: the first one of the app",
    )
    teams: list[Annotated[str, Field(pattern=r"^T[A-Z0-9]+$")]] = Field(
        default=[], description="ids of the workspaces that may use the app; default: any"
    )


class SlackConfig(ChatConfig):
    """Settings of the adapter `slack`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"bot_token": {"env": "SLACK_BOT_TOKEN"}, "app_token": {"env": "SLACK_APP_TOKEN"}}
            ]
        }
    )

    bot_token: SecretStr | None = Field(
        default=None, description=f"xoxb-..., {_GIVEN_AS}; not needed with oauth"
    )
    app_token: SecretStr | None = Field(
        default=None, description=f"xapp-..., for Socket Mode, {_GIVEN_AS}"
    )
    signing_secret: SecretStr | None = Field(
        default=None, description=f'for mode = "http", {_GIVEN_AS}'
    )
    mode: Literal["socket", "http"] = Field(
        default="socket", description="how events come in: over a socket, or as signed requests"
    )
    http: HttpConfig = Field(
        default=HttpConfig(), description="where requests come in, and installations"
    )
    api_url: ApiUrl | None = Field(
        default=None,
        description="address of the Web API; default: SLACK_API_URL, or else Slack's own",
    )
    hand_off: HandOffConfig | None = Field(
        default=None, description="who is asked instead of the assistant"
    )
    prompts: list[PromptConfig] = Field(
        default=[], max_length=4, description="what the messages tab suggests to ask"
    )
    oauth: OAuthConfig | None = Field(
        default=None, description="lets several workspaces install the app"
    )
    command: str = Field(
        default="/ask",
        pattern=COMMAND,
        description="the command that asks privately",
    )

    @model_validator(mode="after")
    def _has_tokens(self) -> SlackConfig:
        """Refuse settings that could never connect."""
        if self.bot_token is None and self.oauth is None:
            raise ValueError("expected bot_token, or oauth to install the app in workspaces")
        if self.bot_token is not None and self.oauth is not None:
            raise ValueError("expected bot_token or oauth, not both: oauth brings its own tokens")
        if self.mode == "socket" and self.app_token is None:
            raise ValueError('mode = "socket" needs app_token, a token that begins with xapp-')
        if self.mode == "http" and self.signing_secret is None:
            raise ValueError('mode = "http" needs signing_secret, from "Basic Information"')
        groups = [group for group in self.groups if channel_of(group) is None]
        handles = [group for group in groups if not _GROUP_ID.fullmatch(group)]
        if self.oauth is not None and handles:
            raise ValueError(
                f'groups: "{handles[0]}" is a handle, which every workspace may give to anybody; '
                "with oauth expected the id of a user group, like S0123ABCD"
            )
        return self
