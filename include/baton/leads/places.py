"""Countries, however people write them, as ISO 3166 codes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

import pycountry

_LONGEST_NAME = 100

_OWN_NAMES = {
    "AE": "uae, emirates",
    "AT": "österreich, oesterreich",
    "AU": "aus",
    "BE": "belgië, belgique, belgien",
    "BR": "brasil, brasilien",
    "CH": "schweiz, suisse, svizzera",
    "CN": "china, prc, 中国",
    "CZ": "czech republic, česko, tschechien",
    "DE": "deutschland, brd, allemagne",
    "DK": "danmark, dänemark",
    "EE": "eesti",
    "EG": "misr",
    "ES": "españa, spanien",
    "FI": "suomi, finnland",
    "FR": "frankreich, la france",
    "GB": "uk, u.k., great britain, britain, england, scotland, wales, northern ireland, "
    "grossbritannien, royaume-uni",
    "GR": "hellas, ελλάδα, griechenland",
    "HR": "hrvatska, kroatien",
    "HU": "magyarország, ungarn",
    "IE": "éire, republic of ireland, irland",
    "IL": "ישראל",
    "IN": "bharat, भारत, indien",
    "IS": "ísland, island",
    "IT": "italia, italien",
    "JP": "日本, nippon, nihon",
    "KR": "south korea, korea, 한국, 대한민국",
    "LT": "lietuva",
    "LV": "latvija",
    "MX": "méxico, mexiko",
    "NL": "holland, the netherlands, nederland, niederlande",
    "NO": "norge, noreg, norwegen",
    "NZ": "aotearoa",
    "PL": "polska, polen",
    "PT": "portugal",
    "RO": "românia, rumänien",
    "RU": "russia, россия",
    "SA": "ksa",
    "SE": "sverige, schweden",
    "SI": "slovenija, slowenien",
    "SK": "slovensko, slowakei",
    "TR": "turkey, türkei",
    "TW": "taiwan",
    "UA": "україна, ukraina",
    "US": "usa, u.s., u.s.a., united states of america, america, the united states, "
    "estados unidos, vereinigte staaten",
    "VN": "vietnam",
}


def country_code(text: str) -> str | None:
    """Return the ISO 3166 alpha-2 code of a country given by code or by name, or None."""
    return _by_name().get(_folded(text)) if len(text) <= _LONGEST_NAME else None


@cache
def _by_name() -> Mapping[str, str]:
    names: dict[str, str] = {}
    for country in pycountry.countries:
        code = str(country.alpha_2)
        for kind in ("name", "official_name", "common_name", "alpha_3", "alpha_2"):
            name = getattr(country, kind, None)
            if name:
                names[_folded(str(name))] = code
                # "Venezuela, Bolivarian Republic of" is known by its part before the comma.
                names.setdefault(_folded(str(name).split(",")[0]), code)
    for code, own in _OWN_NAMES.items():
        names.update({_folded(name): code for name in own.split(",")})
    return names


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.strip().casefold())
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())
