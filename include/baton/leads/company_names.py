"""Company names in the form in which they are compared."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from cleanco import basename

_LONGEST_NAME = 300
_NOT_WORDS = re.compile(r"[^\w]+")
_PLACEHOLDERS = frozenset(
    {
        "",
        "na",
        "none",
        "null",
        "unknown",
        "test",
        "n a",
        "company",
        "self",
        "self employed",
        "private",
    }
)


@lru_cache(maxsize=200_000)
def _basename(text: str) -> str:
    return str(basename(text))


def normalised_company_name(name: str | None) -> str | None:
    """Return the name without case, accents, punctuation and legal form; None for placeholders.

    "Müller & Söhne GmbH" and "muller & sohne" are the same. "n/a" and the like name nobody.
    """
    if not name:
        return None
    text = unicodedata.normalize("NFKD", name[:_LONGEST_NAME])
    text = "".join(char for char in text if not unicodedata.combining(char))
    text = _NOT_WORDS.sub(" ", _basename(text).casefold()).strip()
    return None if text in _PLACEHOLDERS else text
