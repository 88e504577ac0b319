"""A policy's files as one value that can be hashed, stored and read again anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from baton.errors import PolicyError, PolicyErrors
from baton.policy.yaml_source import LARGEST_FILE

LARGEST_LIST = 5_000_000
MOST_FILES = 200
ROSTER_FILE = "roster.yaml"
OVERLAYS = "overlays"


@dataclass(frozen=True, slots=True)
class PolicyBundle:
    """The texts of a policy by relative name. What an overlay adds stands under ``overlays/``."""

    texts: Mapping[str, str]

    @property
    def hash(self) -> str:
        """Return the SHA-256 over all names and texts, in hex: the name of this version."""
        digest = hashlib.sha256()
        for name in sorted(self.texts):
            for part in (name, self.texts[name]):
                encoded = part.encode()
                digest.update(len(encoded).to_bytes(8, "big") + encoded)
        return digest.hexdigest()


def read_bundle(directory: Path, overlay: Path | None = None) -> PolicyBundle:
    """Read the policy in `directory`: its ``*.yaml`` (the roster apart) and CSV lists.

    `overlay` is a YAML file whose values replace those of the policy. Raises PolicyErrors.
    """
    directory = Path(directory)
    if not directory.is_dir():
        what = "a file" if directory.is_file() else "not there"
        message = f"there is no policy directory {directory}: it is {what}"
        hint = "name the directory that holds the policy's files, such as include/policy"
        raise PolicyErrors([PolicyError(message, hint=hint)])
    found = sorted(path for path in directory.glob("*.yaml") if path.name != ROSTER_FILE)
    found += sorted(directory.glob("*.csv")) + sorted(directory.glob("lists/**/*.csv"))
    if not any(path.suffix == ".yaml" for path in found):
        raise PolicyErrors([PolicyError(f"there is no policy in {directory}: no *.yaml file")])
    if len(found) > MOST_FILES:
        raise PolicyErrors([PolicyError(f"{directory} holds more than {MOST_FILES} policy files")])
    named = {path.relative_to(directory).as_posix(): path for path in found}
    stray = sorted(directory.glob("*.yml"))
    if stray:
        # Passed over in silence, what stands there would be agreed and not done.
        hint = f"call it {stray[0].stem}.yaml, or take it away"
        raise PolicyErrors(
            [PolicyError("a policy file ends in .yaml", file=stray[0].name, hint=hint)]
        )
    if overlay is not None:
        named[f"{OVERLAYS}/{Path(overlay).name}"] = Path(overlay)
    texts, errors = {}, []
    for name, path in named.items():
        try:
            texts[name] = read_text(name, path)
        except PolicyError as error:
            errors.append(error if path != overlay else _as_given(error, path))
    if errors:
        raise PolicyErrors(errors)
    return PolicyBundle(texts)


def _as_given(error: PolicyError, path: Path) -> PolicyError:
    """Return an error about a file that a person named, with the path that they typed."""
    return PolicyError(error.message, file=str(path), line=error.line, hint=error.hint)


def read_text(name: str, path: Path) -> str:
    """Read one file as UTF-8, with the line ends of Unix. Raises PolicyError that names it."""
    largest = LARGEST_LIST if path.suffix == ".csv" else LARGEST_FILE
    try:
        if path.stat().st_size > largest:
            raise PolicyError(f"the file is larger than {largest} bytes", file=name)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PolicyError(f"cannot be read: {error.strerror}", file=name) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PolicyError(
            "is not UTF-8 text", file=name, line=line, hint="save it as UTF-8"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_overlay(name: str) -> bool:
    """Tell whether a name of the bundle is an overlay."""
    return PurePosixPath(name).parts[0] == OVERLAYS
