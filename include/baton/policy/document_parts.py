"""What the readable agreement is made of: sections of paragraphs, lists and tables, as plain text.

Texts hold no markup; each template escapes them for its own format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. `tone` "warning" stands out, "quiet" steps back."""

    text: str
    tone: Literal["", "warning", "quiet"] = ""
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section."""

    text: str
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list; `numbered` where the order counts."""

    items: tuple[str, ...]
    numbered: bool = False
    kind: Literal["bullets"] = "bullets"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table whose first column names the row. `caption` says what it shows."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: Literal["grid"] = "grid"


Block: TypeAlias = Text | Heading | Bullets | Grid


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the document. `anchor` is its address within the page."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """Return the title as an address."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.title.lower()).split())


@dataclass(frozen=True, slots=True)
class Document:
    """The whole agreement. `facts` are name and value pairs under the title."""

    title: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    warning: str | None = None
    notes: tuple[str, ...] = ()
