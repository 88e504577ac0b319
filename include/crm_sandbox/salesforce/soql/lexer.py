"""Cuts SOQL text into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from crm_sandbox.salesforce.soql.syntax import malformed, unexpected


class Kind(StrEnum):
    """What a token is."""

    NAME = "name"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token with its place in the text; a string's text is without its quotes."""

    kind: Kind
    text: str
    position: int

    @property
    def upper(self) -> str:
        """The text in capitals, to compare with keywords."""
        return self.text.upper()


_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d(?![\dT]))
    | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w.-]))
    | (?P<text>'(?:[^'\\]|\\.)*')
    | (?P<name>[A-Za-z_]\w*)
    | (?P<symbol><=|>=|!=|<>|[=<>(),.:])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {
    "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f",
    "N": "\n", "R": "\r", "T": "\t", "B": "\b", "F": "\f",
    '"': '"', "'": "'", "\\": "\\",
}  # fmt: skip
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def tokens(text: str) -> list[Token]:
    """All tokens, ended by one of kind END. Raises OrgFault MALFORMED_QUERY."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _bad_start(text, position)
        kind = str(match.lastgroup)
        if kind != "space":
            value = match.group()
            found.append(Token(Kind(kind), value[1:-1] if kind == "text" else value, position))
        position = match.end()
    found.append(Token(Kind.END, "<EOF>", len(text)))
    return found


def unescape(raw: str) -> str:
    r"""The string behind its escapes. Raises OrgFault for one SOQL does not have."""

    def replace(match: re.Match[str]) -> str:
        char = match.group(1)
        if char not in _ESCAPES:
            raise malformed(f"invalid escape sequence: \\{char}")
        return _ESCAPES[char]

    return _ESCAPED.sub(replace, raw)


def like_pattern(raw: str) -> re.Pattern[str]:
    r"""A LIKE pattern as a regular expression: `%` any run, `_` one character, `\%` `\_` plain."""
    parts: list[str] = []
    position = 0
    while position < len(raw):
        char = raw[position]
        if char == "\\" and position + 1 < len(raw):
            pair = raw[position : position + 2]
            parts.append(re.escape(pair[1] if pair[1] in "%_" else unescape(pair)))
            position += 2
            continue
        parts.append({"%": ".*", "_": "."}.get(char) or re.escape(char))
        position += 1
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _bad_start(text: str, position: int) -> Exception:
    char = text[position]
    if char == "'":
        return malformed("unterminated string: a closing quote is missing")
    rest = re.match(r"\S+", text[position:])
    return unexpected(rest.group() if rest else char)
