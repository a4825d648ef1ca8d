"""Who reads what is shown at a place in a chat service, as labels."""

from __future__ import annotations

from citewell.chatting import Adapter
from citewell.configs import ChatConfig
from citewell.types.chat import Address
from citewell.types.questions import Audience


async def audience(adapter: Adapter, config: ChatConfig, address: Address) -> Audience:
    """Return who reads at `address` now; asked anew each time, so that a change holds at once.

    Raises:
        DeliveryError: the service does not say; nothing may be shown then.
    """
    declared = config.channel(address.venue.channel).reads
    if declared is not None and address.only_for is None:
        return Audience.of(*declared)
    if not config.groups:
        return Audience.of(*config.reads)
    readers = await adapter.readers(address, config.groups.keys())
    return Audience(frozenset(_labels(config, groups) for groups in readers))


def _labels(config: ChatConfig, groups: frozenset[str]) -> frozenset[str]:
    further = (config.groups[group] for group in groups if group in config.groups)
    return frozenset(config.reads).union(*further)
