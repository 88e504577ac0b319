"""The roster as YAML, in the shape that `baton.policy.loader.read_roster` reads."""

from __future__ import annotations

import io
from typing import Any

from baton.policy.roster import Leave, Rep, Roster
from baton.policy.roster_csv import stamped
from baton.policy.week_text import week_in_text


def roster_yaml(roster: Roster) -> str:
    """Return the roster as YAML: people by e-mail, pools by name; what says nothing is left out."""
    from ruamel.yaml import YAML

    tree = {
        "people": {rep.key: _person(rep) for rep in roster.people},
        "pools": {
            pool.name: {"members": {one.rep: one.weight for one in pool.members}}
            for pool in roster.pools
        },
    }
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 4096
    text = io.StringIO()
    yaml.dump(tree, text)
    return text.getvalue()


def _person(rep: Rep) -> dict[str, Any]:
    empty = Rep(key=rep.key, name=rep.name)
    found: dict[str, Any] = {"name": rep.name}
    for name in Rep.model_fields:
        value = getattr(rep, name)
        if name in {"key", "name"} or value == getattr(empty, name):
            continue
        found[name] = _plain(name, value, rep.zone)
    return found


def _plain(name: str, value: Any, zone: str) -> Any:
    match name:
        case "hours":
            return value if isinstance(value, str) else week_in_text(value)
        case "leave":
            return [_leave(one, zone) for one in value]
        case "good_at":
            return {label: list(values) for label, values in value.items()}
        case "joined" | "left":
            return value.isoformat()
    return value


def _leave(leave: Leave, zone: str) -> dict[str, str]:
    edges = {"start": stamped(leave.start, zone), "end": stamped(leave.end, zone)}
    return edges | ({"note": leave.note} if leave.note else {})
