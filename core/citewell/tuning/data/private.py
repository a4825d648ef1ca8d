"""What must not be learnt: keys and passwords, and what identifies people.

A model repeats what it was trained on, to everybody. Names of people are not looked for: that
takes a model of its own, and finds many that are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Self

from citewell.errors import ConfigError, MissingExtra
from citewell.redaction import redact
from citewell.tuning.data.problems import shown

# Bounds of RFC 5321, section 4.5.3.1.
_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
# Of RFC 2606 and of systems that answer nobody.
_NOBODY = re.compile(
    r"@(?:[\w-]+\.)*example\.(?:com|net|org)$|\.(?:example|invalid|test|localhost)$"
    r"|^(?:no-?reply|support|info|help|contact|hello|sales|security|privacy)@",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d.-])")
# First digits of the networks: ISO/IEC 7812.
_NETWORK = re.compile(r"3[47]|4|5[1-5]|2[2-7]|6(?:011|5)|35")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
# A public address is no secret, and what only looks random mostly is none.
_LEFT_OUT = {"IPPublicDetector", "Base64HighEntropyString", "HexHighEntropyString"}
_REMEMBERED = 200_000


class Private:
    """Looks for secrets and for personal data; nothing is sent to anybody.

    Args:
        region: where phone numbers are from that begin with no country, ISO 3166-1; None to look
            for those with a country alone.

    Raises:
        ConfigError: there is no such region.
        MissingExtra: a package is not installed.
    """

    def __init__(self, region: str | None = None) -> None:
        try:
            import phonenumbers
            from detect_secrets.core.scan import scan_line
            from stdnum import iban, luhn
            from stdnum.us import ssn
        except ImportError as error:
            raise MissingExtra(
                "looking for secrets and personal data",
                package=(error.name or "a package").partition(".")[0],
                extra="data",
            ) from error
        self._scan_line: Any = scan_line
        self._phones: Any = phonenumbers
        self._iban, self._luhn, self._ssn = iban, luhn, ssn
        self._region = None if region is None else region.upper()
        if self._region is not None and self._region not in phonenumbers.SUPPORTED_REGIONS:
            raise ConfigError(
                f'"{shown(region)}" is no country of phone numbers; expected two letters, like US '
                "or DE: name one with --region"
            )
        self._lines: dict[str, tuple[str, ...]] = {}
        self._settings = ExitStack()

    def __enter__(self) -> Self:
        """Let the detectors of secrets be those that are meant, and none ask a service."""
        from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
        from detect_secrets.settings import transient_settings

        detectors: Mapping[str, type] = get_mapping_from_secret_type_to_class()
        names = {one.__name__ for one in detectors.values()}
        # Its filters, all left out, are what asks services whether a secret is in force.
        plugins = [{"name": name} for name in sorted(names - _LEFT_OUT)]
        self._settings.enter_context(transient_settings({"plugins_used": plugins}))
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the settings as they were."""
        self._settings.close()

    def secrets(self, text: str) -> Iterator[str]:
        """Yield what kinds of secrets a text holds; never the secret."""
        found: dict[str, None] = {}
        for line in text.splitlines():
            found.update(dict.fromkeys(self._in_line(line)))
        yield from found

    def _in_line(self, line: str) -> tuple[str, ...]:
        known = self._lines.get(line)
        if known is None:
            known = tuple(sorted({one.type.lower() for one in self._scan_line(line)}))
            if not known and redact(line) != line:
                known = ("key",)
            if len(self._lines) >= _REMEMBERED:
                self._lines.clear()
            self._lines[line] = known
        return known

    def personal(self, text: str) -> Iterator[str]:
        """Yield what kinds of personal data a text holds."""
        if any(not _NOBODY.search(one) for one in _EMAIL.findall(text)):
            yield "e-mail address"
        if self._has_phone(text):
            yield "phone number"
        if any(self._iban.is_valid(one) for one in _IBAN.findall(text)):
            yield "bank account"
        if any(self._is_card(one) for one in _CARD.findall(text)):
            yield "payment card"
        if any(self._ssn.is_valid(one) for one in _SSN.findall(text)):
            yield "social security number"

    def _has_phone(self, text: str) -> bool:
        if "+" not in text and self._region is None:
            return False
        return any(True for _ in self._phones.PhoneNumberMatcher(text, self._region))

    def _is_card(self, text: str) -> bool:
        digits = re.sub(r"\D", "", text)
        return bool(_NETWORK.match(digits)) and bool(self._luhn.is_valid(digits))
