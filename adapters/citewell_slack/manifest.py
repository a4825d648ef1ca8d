"""The manifest of the Slack app, made from the features that are to work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

FEATURES: Final = (
    "mentions",
    "direct",
    "threads",
    "command",
    "shortcut",
    "home",
    "files",
    "groups",
)
"""What can be left out of an app; posting answers always works."""

COMMAND: Final = r"^/[a-z0-9_-]{1,31}$"
"""What a command is called."""

SHORTCUT: Final = "ask_about_this"

_EVENTS: Final[Mapping[str, Sequence[str]]] = {
    "mentions": ("app_mention",),
    "direct": ("message.im", "app_home_opened", "agent_session_stopped"),
    "threads": ("message.channels", "message.groups", "message.mpim"),
    "home": ("app_home_opened",),
    "groups": ("subteam_created", "subteam_members_changed", "subteam_updated"),
}
_SCOPES: Final[Mapping[str, Sequence[str]]] = {
    "mentions": ("app_mentions:read",),
    "direct": ("im:history", "im:read", "im:write"),
    "command": ("commands",),
    "shortcut": ("commands",),
    "files": ("files:read",),
    "groups": ("usergroups:read", "users:read"),
}
# To post and to find again what was posted, and to know who reads it.
_ALWAYS: Final = (
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "groups:history",
    "groups:read",
    "mpim:history",
    "mpim:read",
    "users:read",
)


@dataclass(frozen=True, kw_only=True)
class App:
    """What the app is to be.

    Attributes:
        features: of `FEATURES`.
        url: public address of the request URL, where it does not use Socket Mode.
        redirect_url: where installations come back to, where several workspaces install it.
        prompts: what the messages tab suggests: title and message.
    """

    name: str = "Citewell"
    description: str = "Answers from your own documents, with sources"
    command: str = "/ask"
    features: frozenset[str] = frozenset(FEATURES)
    url: str | None = None
    redirect_url: str | None = None
    prompts: Sequence[tuple[str, str]] = field(default=())


def scopes(features: Iterable[str] = FEATURES) -> list[str]:
    """Return the bot scopes that features need, sorted."""
    return sorted({*_ALWAYS, *(one for name in features for one in _SCOPES.get(name, ()))})


def manifest(app: App) -> dict[str, Any]:
    """Return the manifest as Slack takes it at "Create an app" > "From a manifest"."""
    events = {one for name in app.features for one in _EVENTS.get(name, ())}
    if app.redirect_url:
        events |= {"app_uninstalled", "tokens_revoked"}
    where = {"request_url": app.url} if app.url else {}
    oauth: dict[str, Any] = {"scopes": {"bot": scopes(app.features)}}
    if app.redirect_url:
        oauth = {"redirect_urls": [app.redirect_url], **oauth}
    return {
        "display_information": {"name": app.name, "description": app.description},
        "features": _features(app),
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": {**where, "bot_events": sorted(events)},
            "interactivity": {"is_enabled": True, **where},
            "org_deploy_enabled": False,
            "socket_mode_enabled": app.url is None,
            "token_rotation_enabled": bool(app.redirect_url),
        },
    }


def _features(app: App) -> dict[str, Any]:
    has_messages = "direct" in app.features
    made: dict[str, Any] = {
        "app_home": {
            "home_tab_enabled": "home" in app.features,
            "messages_tab_enabled": has_messages,
            "messages_tab_read_only_enabled": not has_messages,
        },
        "bot_user": {"display_name": app.name, "always_online": True},
    }
    if has_messages:
        made["agent_view"] = {"agent_description": app.description}
        if app.prompts:
            suggested = [{"title": title, "message": text} for title, text in app.prompts]
            made["agent_view"]["suggested_prompts"] = suggested
    if "command" in app.features:
        command = {
            "command": app.command,
            "description": "Ask privately; only you see the answer",
            "usage_hint": "your question",
            "should_escape": False,
        }
        made["slash_commands"] = [{**command, **({"url": app.url} if app.url else {})}]
    if "shortcut" in app.features:
        made["shortcuts"] = [
            {
                "name": "Ask about this",
                "type": "message",
                "callback_id": SHORTCUT,
                "description": "Ask the assistant about this message",
            }
        ]
    return made
