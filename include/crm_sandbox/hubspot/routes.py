"""The one route table: every operation, its scopes, its limits, and both path families.

HubSpot serves the same operations under versioned paths (`/crm/v3/objects/…`) and under
date-based ones (`/crm/objects/2026-09/…`). A date-based path is rewritten to its versioned twin,
so that each operation stands in the table once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crm_sandbox.hubspot import (
    api_account,
    api_associations,
    api_batch,
    api_lists,
    api_objects,
    api_properties,
)
from crm_sandbox.hubspot.call import Call, Reply

Handler = Callable[[Call], Reply]

_DATE = r"\d{4}-\d{2}(?:-beta)?"
_TWINS = tuple(
    (re.compile(pattern.format(date=_DATE)), twin)
    for pattern, twin in (
        (r"^/crm/objects/{date}(?=/[^/]+/[^/]+/associations/)", "/crm/v4/objects"),
        (r"^/crm/objects/{date}(?=/)", "/crm/v3/objects"),
        (r"^/crm/associations/{date}(?=/)", "/crm/v4/associations"),
        (r"^/crm/properties/{date}(?=/)", "/crm/v3/properties"),
        (r"^/crm/owners/{date}(?=/|$)", "/crm/v3/owners"),
        (r"^/crm/lists/{date}(?=/|$)", "/crm/v3/lists"),
        (r"^/marketing/forms/{date}(?=/|$)", "/marketing/v3/forms"),
        (r"^/account-info/{date}(?=/)", "/account-info/v3"),
    )
)


def versioned(path: str) -> str:
    """The versioned path of an operation, without a slash at its end."""
    path = path.rstrip("/") or "/"
    if "/20" not in path:
        return path
    for pattern, twin in _TWINS:
        rewritten, count = pattern.subn(twin, path)
        if count:
            return rewritten
    return path


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `scopes` are alternatives ("{type}" stands for the object type).

    `burst` False: exempt from the ten-second limit. `search`: has the search limit instead.
    `public`: needs no token.
    """

    method: str
    template: str
    handler: Handler
    scopes: tuple[str, ...] = ()
    burst: bool = True
    search: bool = False
    public: bool = False


_READ = ("crm.objects.{type}.read",)
_WRITE = ("crm.objects.{type}.write",)
_SCHEMA_READ = ("crm.schemas.{type}.read", "crm.objects.{type}.read")
_SCHEMA_WRITE = ("crm.schemas.{type}.write",)
_LINK_READ = ("crm.objects.{from}.read",)
_LINK_WRITE = ("crm.objects.{from}.write",)
_LISTS_READ, _LISTS_WRITE = ("crm.lists.read",), ("crm.lists.write",)
_FORMS = ("forms",)

_OBJECTS = "/crm/v3/objects/{type}"
_PROPERTIES = "/crm/v3/properties/{type}"
_LINKS = "/crm/v4/associations/{from}/{to}"
_LINK = "/crm/v4/objects/{from}/{id}/associations"
_LISTS = "/crm/v3/lists"

ROUTES: tuple[Route, ...] = (
    Route("POST", f"{_OBJECTS}/search", api_objects.search_records, _READ, search=True),
    Route("POST", f"{_OBJECTS}/batch/read", api_batch.batch_read, _READ),
    Route("POST", f"{_OBJECTS}/batch/create", api_batch.batch_create, _WRITE),
    Route("POST", f"{_OBJECTS}/batch/update", api_batch.batch_update, _WRITE),
    Route("POST", f"{_OBJECTS}/batch/upsert", api_batch.batch_upsert, _WRITE),
    Route("POST", f"{_OBJECTS}/batch/archive", api_batch.batch_archive, _WRITE),
    Route("POST", f"{_OBJECTS}/merge", api_objects.merge_records, _WRITE),
    Route("POST", f"{_OBJECTS}/gdpr-delete", api_objects.gdpr_delete, _WRITE),
    Route("GET", _OBJECTS, api_objects.list_records, _READ),
    Route("POST", _OBJECTS, api_objects.create_record, _WRITE),
    Route("GET", f"{_OBJECTS}/{{id}}", api_objects.get_record, _READ),
    Route("PATCH", f"{_OBJECTS}/{{id}}", api_objects.change_record, _WRITE),
    Route("DELETE", f"{_OBJECTS}/{{id}}", api_objects.archive_record, _WRITE),
    Route("POST", f"{_LINKS}/batch/read", api_associations.batch_read, _LINK_READ, burst=False),
    Route(
        "POST", f"{_LINKS}/batch/create", api_associations.batch_create, _LINK_WRITE, burst=False
    ),
    Route(
        "POST",
        f"{_LINKS}/batch/associate/default",
        api_associations.batch_create_default,
        _LINK_WRITE,
        burst=False,
    ),
    Route(
        "POST", f"{_LINKS}/batch/archive", api_associations.batch_archive, _LINK_WRITE, burst=False
    ),
    Route("GET", f"{_LINKS}/labels", api_associations.labels, _LINK_READ, burst=False),
    Route("GET", f"{_LINK}/{{to}}", api_associations.list_for_record, _LINK_READ),
    Route("PUT", f"{_LINK}/default/{{to}}/{{other}}", api_associations.create_default, _LINK_WRITE),
    Route("PUT", f"{_LINK}/{{to}}/{{other}}", api_associations.create_one, _LINK_WRITE),
    Route("DELETE", f"{_LINK}/{{to}}/{{other}}", api_associations.delete_one, _LINK_WRITE),
    Route("GET", f"{_PROPERTIES}/groups", api_properties.get_groups, _SCHEMA_READ),
    Route("POST", f"{_PROPERTIES}/groups", api_properties.create_group, _SCHEMA_WRITE),
    Route("GET", f"{_PROPERTIES}/groups/{{name}}", api_properties.get_group, _SCHEMA_READ),
    Route("POST", f"{_PROPERTIES}/batch/create", api_properties.batch_create, _SCHEMA_WRITE),
    Route("POST", f"{_PROPERTIES}/batch/read", api_properties.batch_read, _SCHEMA_READ),
    Route("POST", f"{_PROPERTIES}/batch/archive", api_properties.batch_archive, _SCHEMA_WRITE),
    Route("GET", _PROPERTIES, api_properties.get_all, _SCHEMA_READ),
    Route("POST", _PROPERTIES, api_properties.create, _SCHEMA_WRITE),
    Route("GET", f"{_PROPERTIES}/{{name}}", api_properties.get_one, _SCHEMA_READ),
    Route("PATCH", f"{_PROPERTIES}/{{name}}", api_properties.change, _SCHEMA_WRITE),
    Route("DELETE", f"{_PROPERTIES}/{{name}}", api_properties.archive, _SCHEMA_WRITE),
    Route("GET", "/crm/v3/schemas", api_account.custom_objects, ("crm.schemas.custom.read",)),
    Route("GET", "/crm/v3/owners", api_account.list_owners, ("crm.objects.owners.read",)),
    Route("GET", "/crm/v3/owners/{id}", api_account.get_owner, ("crm.objects.owners.read",)),
    Route("POST", f"{_LISTS}/search", api_lists.search, _LISTS_READ),
    Route(
        "GET", f"{_LISTS}/object-type-id/{{type}}/name/{{name}}", api_lists.get_named, _LISTS_READ
    ),
    Route("GET", f"{_LISTS}/records/{{type}}/{{id}}/memberships", api_lists.of_record, _LISTS_READ),
    Route("PUT", f"{_LISTS}/{{id}}/memberships/add", api_lists.add, _LISTS_WRITE),
    Route("PUT", f"{_LISTS}/{{id}}/memberships/remove", api_lists.remove, _LISTS_WRITE),
    Route(
        "PUT", f"{_LISTS}/{{id}}/memberships/add-and-remove", api_lists.add_and_remove, _LISTS_WRITE
    ),
    Route("GET", f"{_LISTS}/{{id}}/memberships", api_lists.members, _LISTS_READ),
    Route("DELETE", f"{_LISTS}/{{id}}/memberships", api_lists.remove_all, _LISTS_WRITE),
    Route("GET", _LISTS, api_lists.get_several, _LISTS_READ),
    Route("POST", _LISTS, api_lists.create, _LISTS_WRITE),
    Route("GET", f"{_LISTS}/{{id}}", api_lists.get_one, _LISTS_READ),
    Route("DELETE", f"{_LISTS}/{{id}}", api_lists.delete, _LISTS_WRITE),
    Route("GET", "/marketing/v3/forms", api_account.list_forms, _FORMS),
    Route("GET", "/marketing/v3/forms/{id}", api_account.get_form, _FORMS),
    Route(
        "GET", "/form-integrations/v1/submissions/forms/{id}", api_account.list_submissions, _FORMS
    ),
    Route(
        "POST",
        "/submissions/v3/integration/submit/{portal}/{id}",
        api_account.submit_form,
        public=True,
    ),
    Route("GET", "/account-info/v3/details", api_account.details),
    Route("GET", "/account-info/v3/api-usage/daily/private-apps", api_account.usage),
    Route(
        "POST", "/oauth/v2/private-apps/get/access-token-info", api_account.token_info, public=True
    ),
)


@dataclass(frozen=True, slots=True)
class Match:
    """A route and the parts of the path it names. `route` None: the path is there, not so the
    method.
    """

    route: Route | None
    path: Mapping[str, str]


class RouteTable:
    """Finds the route of a method and a path; literal parts win over named ones."""

    def __init__(self, routes: tuple[Route, ...] = ROUTES) -> None:
        """Prepare the table."""
        self._by_length: dict[int, list[tuple[tuple[str, ...], Route]]] = {}
        for route in routes:
            parts = tuple(route.template.strip("/").split("/"))
            self._by_length.setdefault(len(parts), []).append((parts, route))
        for entries in self._by_length.values():
            entries.sort(key=lambda entry: tuple(part.startswith("{") for part in entry[0]))

    def find(self, method: str, path: str) -> Match | None:
        """The match, or None when no operation has that path. `path` is versioned."""
        parts = path.strip("/").split("/")
        other_method = False
        for template, route in self._by_length.get(len(parts), ()):
            named = _match(template, parts)
            if named is None:
                continue
            if route.method == method:
                return Match(route, named)
            other_method = True
        return Match(None, {}) if other_method else None


def _match(template: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    named = {}
    for expected, part in zip(template, parts, strict=True):
        if expected.startswith("{"):
            named[expected[1:-1]] = part
        elif expected != part:
            return None
    return named
