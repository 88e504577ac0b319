"""YAML 1.2 as plain values, with the place of every one of them.

Nothing in a document is constructed: its nodes are read one by one. So a duplicate key, an alias, a
tag or an unreadable number is refused at its place, and no document can grow while it is read.
Keys are always text, as written: the country ``NO`` is Norway. Numbers with a point are Decimal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from baton.errors import PolicyError

Plain: TypeAlias = "str | int | Decimal | bool | date | list[Plain] | dict[str, Plain] | None"
Path: TypeAlias = tuple[str | int, ...]

LARGEST_FILE = 1_000_000
LONGEST_SNIPPET = 300
"""Longer lines are shown in part."""
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{0,18})?")
_CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)
_YAML = "tag:yaml.org,2002:"
_MENDS = (
    ("\\t", "indent with spaces, not with tabs"),
    ("mapping values are not allowed", "a text that holds ': ' must stand in quotes"),
    ("expected ',' or", "a bracket opened in line {line} is not closed, or a comma is missing"),
    ("unexpected end of stream", "quotes opened in line {line} are not closed"),
    ("expected <block end>", "this line is indented otherwise than its neighbours of line {line}"),
    ("cannot start any token", "a text that begins with such a sign must stand in quotes"),
    ("could not find expected ':'", "a key needs a colon and a space after it"),
)
"""What ruamel.yaml says, and what to do about it; the line is that of the part it was reading."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file of the policy; lines and columns count from 1."""

    file: str
    line: int
    column: int


@dataclass(slots=True)
class Document:
    """One file: its value, and where each path's key (or list item) and value begin."""

    file: str
    value: Plain = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    errors: list[PolicyError] = field(default_factory=list)


def copied(value: Plain) -> Plain:
    """Return a copy whose lists and maps can be changed."""
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    return [copied(part) for part in value] if isinstance(value, list) else value


def error_at(
    place: Place | None, texts: Mapping[str, str], message: str, hint: str | None = None
) -> PolicyError:
    """Return an error that points at a place and shows its line."""
    if place is None:
        return PolicyError(message, hint=hint)
    lines = texts.get(place.file, "").splitlines()
    there = 0 < place.line <= len(lines)
    snippet = _around(lines[place.line - 1], place.column) if there else None
    return PolicyError(
        message, file=place.file, line=place.line, column=place.column, snippet=snippet, hint=hint
    )


def _around(line: str, column: int) -> str:
    """Return a line; of a very long one the part around a column."""
    if len(line) <= LONGEST_SNIPPET:
        return line
    start = max(0, min(column - 1 - LONGEST_SNIPPET // 2, len(line) - LONGEST_SNIPPET))
    end = start + LONGEST_SNIPPET
    return ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")


@lru_cache(maxsize=64)
def read_yaml(file: str, text: str) -> Document:
    """Read one document. What is wrong with it stands in its `errors`; nothing is raised.

    The result is remembered and shared: take a copy (`copied`) of what is to be changed.
    """
    return _Reader(file, text).read()


class _Reader:
    def __init__(self, file: str, text: str) -> None:
        self.text = text
        self.document = Document(file)

    def read(self) -> Document:
        if len(self.text) > LARGEST_FILE:
            self.refuse(None, f"the file is larger than {LARGEST_FILE} characters", None)
            return self.document
        if re.search(r"^%", self.text, re.MULTILINE):
            self.refuse(
                None, "directives (%YAML, %TAG) are not used in a policy", "remove the line"
            )
            return self.document
        try:
            # Round-trip is the only kind in ruamel.yaml that reads YAML 1.2.
            root = YAML(typ="rt", pure=True).compose(self.text)
        except MarkedYAMLError as error:
            self.refuse_syntax(error)
        except YAMLError as error:
            self.refuse(None, f"not readable as YAML: {error}", None)
        except RecursionError:
            self.refuse(None, "nested too deeply", None)
        else:
            if root is not None:
                self.document.value = self.plain(root, ())
        return self.document

    def refuse(self, node: Node | None, message: str, hint: str | None) -> None:
        mark = node.start_mark if node is not None else None
        place = Place(self.document.file, mark.line + 1, mark.column + 1) if mark else None
        texts = {self.document.file: self.text}
        error = error_at(place or Place(self.document.file, 1, 1), texts, message, hint)
        self.document.errors.append(error)

    def refuse_syntax(self, error: MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        at_end = mark is not None and mark.line >= len(self.text.splitlines())
        if at_end and error.context_mark is not None:
            mark = error.context_mark  # what was opened there is never closed
        place = Place(self.document.file, mark.line + 1, mark.column + 1) if mark else None
        problem = " ".join(str(error.problem or error.context or "").split())
        hint = next((mend for sign, mend in _MENDS if sign in problem), None)
        clash = _CONFLICT.search(self.text)
        if clash is not None:
            place = Place(self.document.file, self.text.count("\n", 0, clash.start()) + 1, 1)
            hint = "two edits of a merge stand side by side: keep one, and take the marks out"
        opened = error.context_mark.line + 1 if error.context_mark else None
        if hint is not None and opened is not None:
            hint = hint.format(line=opened)
        texts = {self.document.file: self.text}
        self.document.errors.append(
            error_at(place, texts, f"not readable as YAML: {problem}", hint)
        )

    def plain(self, node: Node, path: Path) -> Plain:
        self.document.values[path] = self.place(node)
        if node.anchor:
            self.refuse(node, "anchors and aliases are not used in a policy", "write the value out")
            return None
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return self.sequence(node, path)
        return self.scalar(node)

    def place(self, node: Node) -> Place:
        return Place(self.document.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def mapping(self, node: MappingNode, path: Path) -> Plain:
        found: dict[str, Plain] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode) or str(key_node.tag) == f"{_YAML}merge":
                self.refuse(key_node, "a key must be a plain word or phrase", None)
                continue
            key = str(key_node.value)
            if key in found:
                first = self.document.keys[(*path, key)]
                self.refuse(key_node, f"'{key}' is given twice; first in line {first.line}", None)
                continue
            self.document.keys[(*path, key)] = self.place(key_node)
            found[key] = self.plain(value_node, (*path, key))
        return found

    def sequence(self, node: SequenceNode, path: Path) -> Plain:
        found: list[Plain] = []
        for at, part in enumerate(node.value):
            self.document.keys[(*path, at)] = self.place(part)
            found.append(self.plain(part, (*path, at)))
        return found

    def scalar(self, node: Node) -> Plain:
        text, tag = str(node.value), str(node.tag)
        match tag.removeprefix(_YAML):
            case "str":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" if _INTEGER.fullmatch(text):
                return int(text)
            case "float" if _DECIMAL.fullmatch(text):
                return Decimal(text)
            case "timestamp":
                return self.instant(node, text)
        if tag.removeprefix(_YAML) in {"int", "float"}:
            self.refuse(node, f"'{text}' is not a plain number", "put it in quotes if it is a text")
        else:
            self.refuse(node, f"the tag {tag} is not used in a policy", "remove it")
        return None

    def instant(self, node: Node, text: str) -> Plain:
        try:
            if len(text) == 10:
                return date.fromisoformat(text)
            at = datetime.fromisoformat(text)
        except ValueError:
            self.refuse(node, f"'{text}' is not a date", "write it as 2026-11-03")
            return None
        if at.tzinfo is None:
            self.refuse(node, f"'{text}' does not say its zone", f"write {text}+01:00, or {text}Z")
            return None
        return at.astimezone(UTC)
