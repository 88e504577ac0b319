"""E-mail addresses, telephone numbers and web addresses in one form each. Nothing is looked up."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address

import phonenumbers
import tldextract
from email_validator import EmailNotValidError, validate_email

_LONGEST_ADDRESS, _LONGEST_PHONE, _LONGEST_URL = 254, 40, 2000
_PLAIN_MAILBOX = re.compile(r"(?=.{1,64}\Z)[a-zA-Z0-9_-]+(?:[.+][a-zA-Z0-9_-]+)*")
# International names change their length with their form: "xn--" is left to the validator.
_PLAIN_HOST = re.compile(r"(?!.*xn--)[a-z0-9.-]+", re.IGNORECASE | re.ASCII)
_HOST_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# The list of public suffixes that ships with the package: no download, no cache on disk.
_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def read_email(text: str) -> str | None:
    """Return the address in lower case, or None when it is none. Its domain is not looked up."""
    told = text.strip().removeprefix("mailto:").strip("<>").strip()
    if len(told) > _LONGEST_ADDRESS:
        return None
    name, _, domain = told.partition("@")
    if not (_PLAIN_MAILBOX.fullmatch(name) and _PLAIN_HOST.fullmatch(domain)):
        return _validated(told)
    # Of a name without any peculiarity only the domain is left to be judged.
    found = _address_at(domain)
    return f"{name.lower()}{found}" if found else None


@lru_cache(maxsize=20_000)
def _address_at(domain: str) -> str | None:
    """Return what follows the name in an address ("@acme.test"), or None."""
    found = _validated(f"a@{domain}")
    return found.removeprefix("a") if found else None


def _validated(told: str) -> str | None:
    try:
        # test_environment allows the reserved domain .test, where development addresses live.
        found = validate_email(told, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.normalized.lower()


def read_phone(text: str, country: str | None) -> str | None:
    """Return the number as E.164 ("+493055501234"), or None. `country`: ISO code, for local ones."""
    if len(text) > _LONGEST_PHONE:
        return None
    told = text.strip()
    # "0049 30 ..." is understood everywhere as "+49 30 ...", whatever the country dials.
    told = f"+{told[2:]}" if told.startswith("00") else told
    try:
        number = phonenumbers.parse(told, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number) or not number.country_code:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def country_of_phone(number: str) -> str | None:
    """Return the ISO country of an E.164 number, or None where several share the code unseen."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return None
    return str(region) if region and region.isalpha() else None


def read_host(text: str) -> str | None:
    """Return the host of a web address in lower case, without "www.", or None."""
    told = text.strip().lower()
    if len(told) > _LONGEST_URL:
        return None
    host = re.sub(r"^[a-z][a-z0-9+.-]*://", "", told)
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rsplit("@", 1)[-1].split(":", 1)[0]
    host = host.rstrip(".").removeprefix("www.")
    try:
        host = host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = host.split(".")
    good = len(labels) > 1 and all(_HOST_LABEL.fullmatch(label) for label in labels)
    return host if good and not _is_address(host) else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def ascii_host(host: str) -> str:
    """Return a host as DNS writes it: "müller.test" is "xn--mller-kva.test". Others unchanged."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def host_forms(host: str) -> frozenset[str]:
    """Return a host as DNS writes it and as people read it; one form where they are the same."""
    if host.isascii() and "xn--" not in host:
        return frozenset((host,))
    written = ascii_host(host)
    try:
        return frozenset((host, written, written.encode("ascii").decode("idna")))
    except UnicodeError:
        return frozenset((host, written))


@lru_cache(maxsize=50_000)
def registrable_domain(host: str) -> str | None:
    """Return the part of a host that one owner registers: "mail.acme.co.uk" gives "acme.co.uk".

    Under a suffix that the public list does not know (".test") it is the last two labels.
    """
    found = _suffixes(host)
    if found.suffix:
        return f"{found.domain}.{found.suffix}" if found.domain else None
    labels = host.split(".")
    return ".".join(labels[-2:]) if len(labels) > 1 else None
