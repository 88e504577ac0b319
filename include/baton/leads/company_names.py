"""Company names in the form in which they are compared."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from functools import lru_cache

from cleanco.clean import (
    custom_basename,
    normalized,
    prepare_default_terms,
    strip_punct,
    strip_tail,
)

_LONGEST_NAME = 300
_APOSTROPHES = re.compile(r"['’‘`´]")
_INITIALS = re.compile(r"\b(?:\w\.){2,}")
_NOT_WORDS = re.compile(r"[\W_]+")
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
_SAME_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
)
"""Letters that Unicode does not take apart, as people write them who do not have them."""
_JOINING = frozenset({"and", "und", "et"})
_LEGAL_FORMS = frozenset(
    [
        "ab",
        "ag",
        "aktiengesellschaft",
        "aps",
        "as",
        "asa",
        "bv",
        "bvba",
        "co",
        "company",
        "corp",
        "corporation",
        "cv",
        "doo",
        "dd",
        "eirl",
        "ek",
        "eood",
        "ev",
        "gbr",
        "gesmbh",
        "gmbh",
        "gmbhcokg",
        "inc",
        "incorporated",
        "kft",
        "kg",
        "kgaa",
        "kk",
        "lda",
        "limitada",
        "limited",
        "llc",
        "llp",
        "ltd",
        "ltda",
        "mbh",
        "nv",
        "nyrt",
        "oao",
        "ohg",
        "ooo",
        "ou",
        "oy",
        "oyj",
        "plc",
        "pte",
        "pty",
        "pvt",
        "sa",
        "sab",
        "sarl",
        "sas",
        "sasu",
        "scrl",
        "se",
        "sl",
        "slu",
        "snc",
        "spa",
        "spolka",
        "spzoo",
        "srl",
        "sro",
        "stiftung",
        "ug",
        "zao",
        "zrt",
        "zoo",
    ]
)
"""Those that stand at the end once signs are gone; what cleanco knows in writing goes before."""

_ALL_FORMS = prepare_default_terms()
_FORMS_BY_END: defaultdict[str, list[int]] = defaultdict(list)
for _place, (_, _parts) in enumerate(_ALL_FORMS):
    _FORMS_BY_END[_parts[-1]].append(_place)


@lru_cache(maxsize=50_000)
def normalised_company_name(name: str | None) -> str | None:
    """Return the name without case, accents, punctuation and legal form; None for placeholders.

    "Müller & Söhne GmbH & Co. KG" and "MULLER UND SOHNE" are the same. "n/a" names nobody.
    """
    if not name:
        return None
    text = _APOSTROPHES.sub("", folded(name[:_LONGEST_NAME]))
    words = _words(_without_legal_form(text)) or _words(text)
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    if len(words) > 1 and words[0] == "the":
        words.pop(0)
    plain = " ".join(words)
    return None if plain in _PLACEHOLDERS else plain


def _without_legal_form(text: str) -> str:
    """Return what cleanco's `basename` returns, asked only about the forms whose last word occurs.

    It tries every legal form of the world on every name, which takes it a tenth of a millisecond.
    """
    plain = strip_tail(text)
    words = {strip_punct(word) for word in normalized(plain).split()}
    places = sorted(place for word in words for place in _FORMS_BY_END.get(word, ()))
    if not places:
        return str(strip_tail(" ".join(plain.split())))
    return str(custom_basename(text, [_ALL_FORMS[place] for place in places]))


def folded(text: str) -> str:
    """Return a text without case and accents, special letters as their plain neighbours."""
    if text.isascii():
        return text.casefold()
    apart = unicodedata.normalize("NFKD", text)
    plain = "".join(char for char in apart if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", plain).casefold().translate(_SAME_LETTERS)


def _words(text: str) -> list[str]:
    together = _INITIALS.sub(lambda found: found[0].replace(".", "") + " ", text)
    return [word for word in _NOT_WORDS.split(together) if word and word not in _JOINING]
