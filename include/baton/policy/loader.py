"""From a bundle of texts to a Policy, or to every error at once, each with its place and a mend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path as FilePath
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from baton.errors import PolicyError, PolicyErrors
from baton.policy.actions import PolicyModel
from baton.policy.bundle import ROSTER_FILE, PolicyBundle, is_overlay, read_bundle, read_text
from baton.policy.findings import Finding, Level
from baton.policy.lint import lint
from baton.policy.messages import message_of
from baton.policy.models import Policy
from baton.policy.reading import CsvError, CsvList, Reading, read_csv
from baton.policy.roster import Roster
from baton.policy.yaml_source import Document, Path, Place, Plain, copied, error_at, read_yaml

__all__ = [
    "PolicyBundle",
    "check_policy",
    "parse_policy",
    "policy_from_texts",
    "read_bundle",
    "read_document",
    "read_roster",
    "refuse_errors",
    "roster_from_yaml",
]


Part = TypeVar("Part", bound=PolicyModel)


class Source:
    """The merged YAML of a bundle, with the place of every path."""

    def __init__(self, bundle: PolicyBundle) -> None:
        self.texts = bundle.texts
        self.tree: dict[str, Plain] = {}
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.lists: dict[str, CsvList] = {}
        self.errors: list[PolicyError] = []
        names = sorted(bundle.texts)
        for name in (name for name in names if name.endswith(".csv")):
            self._read_list(name)
        for name in (name for name in names if not name.endswith(".csv")):
            if not is_overlay(name):
                self._add_base(read_yaml(name, bundle.texts[name]))
        for name in (name for name in names if is_overlay(name)):
            self._add_overlay(read_yaml(name, bundle.texts[name]))

    def _read_list(self, name: str) -> None:
        try:
            self.lists[name] = read_csv(name, self.texts[name])
        except CsvError as error:
            for one in (error, *error.others):
                self.errors.append(error_at(Place(name, one.line, 1), self.texts, str(one)))

    def _top(self, document: Document) -> dict[str, Plain]:
        self.errors += document.errors
        value = copied(document.value)
        if isinstance(value, dict):
            return value
        if document.value is not None:
            place = Place(document.file, 1, 1)
            self.errors.append(error_at(place, self.texts, "a policy file is a map of sections"))
        return {}

    def _add_base(self, document: Document) -> None:
        for section, value in self._top(document).items():
            place = document.keys[(section,)]
            if section in self.tree:
                other = self.keys[(section,)].file
                message = f"the section '{section}' already stands in {other}"
                self.errors.append(error_at(place, self.texts, message))
                continue
            self.tree[section] = value
            self._place(document, (section,))

    def _add_overlay(self, document: Document) -> None:
        top = self._top(document)
        replaced = top.pop("replace", None)
        for section in replaced if isinstance(replaced, list) else []:
            if isinstance(section, str):
                self.tree.pop(section, None)
        self._merge(self.tree, top, document, ())

    def _merge(
        self, base: dict[str, Plain], over: Mapping[str, Plain], document: Document, path: Path
    ) -> None:
        for key, value in over.items():
            here = (*path, key)
            below = base.get(key)
            if isinstance(below, dict) and isinstance(value, dict):
                # Of a part that both write the overlay is the last word, and to blame.
                self.keys[here], self.values[here] = document.keys[here], document.values[here]
                self._merge(below, value, document, here)
            elif value is None:
                base.pop(key, None)
            else:
                base[key] = value
                self._place(document, here)

    def _place(self, document: Document, path: Path) -> None:
        """Take over every place at and below `path`."""
        depth = len(path)
        for mine, theirs in ((self.keys, document.keys), (self.values, document.values)):
            mine.update({found: at for found, at in theirs.items() if found[:depth] == path})

    def place(self, path: Path, *, of_key: bool = False) -> Place | None:
        """Return the place of the longest part of `path` that stands in a file, or None.

        A single file is to blame for whatever is wrong with it as a whole.
        """
        path = self._as_written(path)
        for depth in range(len(path), 0, -1):
            part = path[:depth]
            key, value = self.keys.get(part), self.values.get(part)
            if key is None or value is None:
                found = key or value
            else:
                # What is wrong with a whole block is shown at its name, not at its first entry.
                block = key.file == value.file and key.line < value.line
                found = key if of_key or block or depth < len(path) else value
            if found is not None:
                return found
        files = [name for name in self.texts if not name.endswith(".csv")]
        return Place(files[0], 1, 1) if len(files) == 1 else None

    def _as_written(self, path: Path) -> Path:
        """Return the path with names for the places in a list that is written as a map."""
        node: Plain = dict(self.tree)
        found: list[str | int] = []
        for part in path:
            named = isinstance(node, dict) and isinstance(part, int) and 0 <= part < len(node)
            step = list(node)[int(part)] if isinstance(node, dict) and named else part
            found.append(step)
            if isinstance(node, dict) and isinstance(step, str):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                node = None
        return tuple(found)

    def error(
        self, path: Path, message: str, *, hint: str | None = None, of_key: bool = False
    ) -> PolicyError:
        """Return an error at `path`."""
        return error_at(self.place(path, of_key=of_key), self.texts, message, hint)

    def reading(self) -> Reading:
        """Return what the readers of conditions and lists look things up in."""
        fields = self.tree.get("fields")
        labels = (
            {str(label).casefold(): str(label) for label in fields}
            if isinstance(fields, dict)
            else {}
        )
        return Reading(self.lists, labels)


def policy_from_texts(texts: Mapping[str, str]) -> Policy:
    """Read a policy from texts by name, as `parse_policy` does."""
    return parse_policy(PolicyBundle(dict(texts)))


def parse_policy(bundle: PolicyBundle) -> Policy:
    """Read a policy. Raises PolicyErrors with everything that is wrong."""
    return _parsed(bundle.hash, tuple(sorted(bundle.texts.items())))


@lru_cache(maxsize=16)
def _parsed(version: str, texts: tuple[tuple[str, str], ...]) -> Policy:
    source = Source(PolicyBundle(dict(texts)))
    policy = _read(source, version)
    _refuse(source, lint(policy))
    return policy


def check_policy(
    bundle: PolicyBundle, roster: Roster | None = None
) -> tuple[Policy, tuple[tuple[Finding, Place | None], ...]]:
    """Read a policy and return all findings of the linter, warnings too, with their places.

    With a roster, also what does not fit between the two. Raises PolicyErrors only when the policy
    cannot be read at all.
    """
    source = Source(bundle)
    policy = _read(source, bundle.hash)
    return policy, tuple((finding, source.place(finding.path)) for finding in lint(policy, roster))


def refuse_errors(bundle: PolicyBundle, roster: Roster | None = None) -> None:
    """Raise PolicyErrors with every error of the linter, each at its place."""
    source = Source(bundle)
    _refuse(source, lint(_read(source, bundle.hash), roster))


def _refuse(source: Source, findings: Iterable[Finding]) -> None:
    wrong = [
        source.error(finding.path, finding.message, hint=finding.hint)
        for finding in findings
        if finding.level is Level.ERROR
    ]
    if wrong:
        raise PolicyErrors(_in_order(wrong))


def _read(source: Source, version: str) -> Policy:
    if source.errors:
        raise PolicyErrors(_in_order(source.errors))
    if not source.tree:
        raise PolicyErrors([PolicyError("the policy is empty")])
    try:
        return Policy.model_validate({**source.tree, "hash": version}, context=source.reading())
    except ValidationError as error:
        raise PolicyErrors(_in_order(_located(source, Policy, error))) from None


def roster_from_yaml(text: str, name: str = ROSTER_FILE) -> Roster:
    """Read a roster from YAML; `name` is the file that errors name. Raises PolicyErrors."""
    return read_document(Roster, name, text)


def read_roster(path: FilePath) -> Roster:
    """Read a roster from a YAML file. Raises PolicyErrors."""
    try:
        text = read_text(path.name, path)
    except PolicyError as error:
        raise PolicyErrors([error]) from None
    if path.suffix.lower() == ".csv":
        # Read as YAML it would be a roster of nobody.
        hint = "tables are read by 'baton roster import'; 'baton roster export' writes YAML"
        raise PolicyErrors([PolicyError("is a table, not YAML", file=path.name, hint=hint)])
    return roster_from_yaml(text, path.name)


def read_document(model: type[Part], name: str, text: str) -> Part:
    """Read one YAML text into `model` (a roster, say). Raises PolicyErrors."""
    source = Source(PolicyBundle({name: text}))
    if source.errors:
        raise PolicyErrors(_in_order(source.errors))
    try:
        return model.model_validate(source.tree)
    except ValidationError as error:
        raise PolicyErrors(_in_order(_located(source, model, error))) from None


def _located(source: Source, model: type[BaseModel], error: ValidationError) -> list[PolicyError]:
    return [_one_located(source, model, one) for detail in error.errors() for one in _each(detail)]


def _each(detail: ErrorDetails) -> tuple[ErrorDetails, ...]:
    """Return the errors of which one tells (see `reading.together`)."""
    several = (detail.get("ctx") or {}).get("several")
    return tuple({**detail, "ctx": context} for context in several) if several else (detail,)


def _one_located(source: Source, model: type[BaseModel], detail: ErrorDetails) -> PolicyError:
    message, hint, path = message_of(model, detail)
    at = (detail.get("ctx") or {}).get("at")
    if at is not None:
        return error_at(Place(at[0], at[1], 1), source.texts, message, hint)
    return source.error(path, message, hint=hint, of_key=detail["type"] == "extra_forbidden")


def _in_order(errors: Iterable[PolicyError]) -> list[PolicyError]:
    unique = {str(error): error for error in errors}
    return sorted(
        unique.values(), key=lambda error: (error.file or "", error.line or 0, error.column or 0)
    )
