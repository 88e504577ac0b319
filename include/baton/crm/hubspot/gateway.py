"""The HubSpot gateway: what Baton reads from HubSpot and writes to it, in Baton's words.

Synchronous; meant to be held for a task's life and shared between its threads. Batches hold at
most 100 records. Results are mapped by id and never zipped with what was sent: HubSpot answers in
another order, leaves records out, and answers under the id of the record that survived a merge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from baton.connections import HubSpotConnection
from baton.crm.hubspot.changes import read_window
from baton.crm.hubspot.client import HubSpotClient
from baton.crm.hubspot.faults import ConflictError, NotFoundError
from baton.crm.hubspot.rows import (
    Changed,
    ChangesRead,
    ContactRow,
    ContactsRead,
    ContactUpdate,
    Form,
    FormSubmission,
    HubSpotAccount,
    ListChange,
    Owner,
    PropertyDefinition,
    contact_row,
)
from baton.crm.hubspot.updates import BATCH, update_batch
from baton.crm.results import WriteResult, batches, write_in_batches
from baton.errors import ContractError, PermissionDeniedError
from baton.transport import RateLimiter, RetryTerms

_LIST_BATCH = 1000
_MERGED = ("hs_merged_object_ids", "hs_calculated_merged_vids")
_CONTACT_TYPE = "0-1"
_A_MINUTE = timedelta(minutes=1)


class HubSpotGateway:
    """Reads contacts, companies, forms and owners; writes properties and list memberships.

    Every method may raise the GatewayErrors of ``baton.errors``. Retries happen inside, by error
    type: 423, 429 (not the daily limit), 5xx and broken connections.
    """

    def __init__(
        self,
        connection: HubSpotConnection,
        limiter: RateLimiter,
        *,
        terms: RetryTerms | None = None,
        read_seconds: float = 30.0,
    ) -> None:
        """Build the client; no call is made. Raises ConfigurationError if its host is another."""
        self.connection = connection
        self._client = HubSpotClient(connection, limiter, terms=terms, read_seconds=read_seconds)
        self._api = self._client.api

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far, by method and path (ids cut out), retries included."""
        return self._client.pool.calls

    # -- account -----------------------------------------------------------------------------

    def check(self) -> HubSpotAccount:
        """Prove that token and scopes work; raises AuthenticationError when the token does not.

        Scopes that are missing are collected, not raised, so that all are named at once.
        """
        missing: dict[str, None] = {}
        details: Mapping[str, Any] = {}
        usage: Mapping[str, Any] = {}
        for probe in (
            lambda: self._contacts_page([], None, limit=1),
            lambda: self._client.get("/crm/v3/objects/companies", [("limit", "1")]),
            lambda: self._client.get("/crm/v3/owners/", [("limit", "1")]),
            lambda: self._client.get("/crm/v3/properties/contacts/email"),
            lambda: self._client.get("/marketing/v3/forms/", [("limit", "1")]),
            lambda: self.find_list("-"),
        ):
            try:
                probe()
            except PermissionDeniedError as error:
                missing |= dict.fromkeys(error.missing or ("unknown",))
        try:
            details = self._client.get("/account-info/v3/details") or {}
            usage = self._client.get("/account-info/v3/api-usage/daily/private-apps") or {}
        except (PermissionDeniedError, NotFoundError):
            pass  # not every kind of token may ask; the figures are a convenience
        first: Mapping[str, Any] = next(iter(usage.get("results") or ()), {})
        return HubSpotAccount(
            portal_id=str(details["portalId"]) if "portalId" in details else None,
            time_zone=details.get("timeZone"),
            daily_limit=first.get("usageLimit"),
            daily_used=first.get("currentUsage"),
            missing_scopes=tuple(missing),
        )

    def server_now(self) -> datetime:
        """Return HubSpot's time by its last answer, never ahead of it; asks when there is none."""
        now = self._client.pool.server_now()
        if now is None:
            self._client.get("/account-info/v3/details")
            now = self._client.pool.server_now()
        if now is None:
            raise ContractError(self.connection.conn_id, "answers carry no Date header")
        return now

    # -- contacts ----------------------------------------------------------------------------

    def changed_contacts(
        self, since: datetime, until: datetime, *, limit_pages: int | None = None
    ) -> list[Changed]:
        """Return the contacts modified within [since, until], as the search index sees them.

        See `read_changes`; with `limit_pages` the list may be cut short.
        """
        return list(self.read_changes(since, until, limit_pages=limit_pages).rows)

    def read_changes(
        self,
        since: datetime,
        until: datetime,
        *,
        after_id: str = "0",
        limit_pages: int | None = None,
        thorough: bool = False,
    ) -> ChangesRead:
        """Read the ids modified within [since, until], page by page in id order.

        Never pages by offset (rows that leave the window would shift others onto pages already
        read) nor by time (thousands of contacts may share one timestamp): each query starts at
        the last id seen. Rows that the index already shows as newer than `until` are dropped, the
        next window has them. The index lags, so windows must overlap. `thorough` asks once more
        after a short page, as a sweep should.
        """
        return read_window(
            self._search,
            since=since,
            until=until,
            after_id=after_id,
            limit_pages=limit_pages,
            thorough=thorough,
        )

    def hand_raises(
        self,
        since: datetime,
        until: datetime | None = None,
        *,
        by: str = "recent_conversion_date",
    ) -> list[Changed]:
        """Return the contacts who raised a hand since `since`; `modified_at` is when they did.

        `by` is the property that holds that instant; our own writes never move it.
        """
        end = until or self.server_now() + _A_MINUTE  # the index may be a little ahead
        return list(read_window(self._search, since=since, until=end, by=by).rows)

    def list_contacts(
        self, properties: Sequence[str], after: str | None = None, *, archived: bool = False
    ) -> Iterator[list[ContactRow]]:
        """Yield all contacts by pages of 100 in id order, from id `after` on: the first load.

        Not bound to the search index, its ceiling or its rate. `archived` lists only archived ones.
        """
        while True:
            page = self._contacts_page(properties, after, archived=archived)
            rows = [contact_row(raw) for raw in page.get("results") or ()]
            if rows:
                yield rows
            following = ((page.get("paging") or {}).get("next") or {}).get("after")
            if following is None:
                return
            if str(following) == after:
                raise ContractError(self.connection.conn_id, "a page names itself as the next one")
            after = str(following)

    def read_contacts(self, ids: Sequence[str], properties: Sequence[str]) -> ContactsRead:
        """Read contacts by id, whatever their number; fresher than the search index."""
        found: dict[str, ContactRow] = {}
        missing: dict[str, None] = {}
        wanted = [*dict.fromkeys((*properties, *_MERGED))]
        for batch in batches(list(dict.fromkeys(ids)), BATCH):
            batch_found, batch_missing = self._read_batch(batch, wanted)
            found |= batch_found
            missing |= dict.fromkeys(batch_missing)
        return ContactsRead(found=found, missing=tuple(missing))

    def update_contacts(self, updates: Sequence[ContactUpdate]) -> dict[str, WriteResult]:
        """Write properties; the result is by the id that was given.

        Two updates of one contact are joined, the later winning. A contact that was merged away
        is written under its surviving record. Values are absolute, so the call may be repeated.
        """
        joined: dict[str, dict[str, str]] = {}
        for update in updates:
            joined.setdefault(update.id, {}).update(update.properties)
        rows = [ContactUpdate(one, properties) for one, properties in joined.items()]
        return write_in_batches(rows, BATCH, lambda row: row.id, self._update_batch)

    # -- companies, forms, owners ------------------------------------------------------------

    def read_companies(
        self, ids: Sequence[str], properties: Sequence[str]
    ) -> dict[str, dict[str, str | None]]:
        """Read companies by id; ids that do not exist are left out."""
        found: dict[str, dict[str, str | None]] = {}
        for batch in batches(list(dict.fromkeys(ids)), BATCH):
            body = _batch_read(batch, properties)
            answer = self._client.call(self._api.crm.companies.batch_api.read, body)
            for raw in answer.get("results") or ():
                found[str(raw["id"])] = raw.get("properties") or {}
        return found

    def forms(self) -> list[Form]:
        """Return the forms of the portal."""
        query = [("formTypes", kind) for kind in ("hubspot", "captured", "flow")]
        return [
            Form(id=str(raw["id"]), name=str(raw.get("name") or ""))
            for raw in self._walk("/marketing/v3/forms/", [*query, ("limit", "100")])
        ]

    def form_submissions(self, form_guid: str, since: datetime) -> list[FormSubmission]:
        """Return the submissions of a form at or after `since`, newest first."""
        found: list[FormSubmission] = []
        path = "/form-integrations/v1/submissions/forms/{guid}"
        for raw in self._walk(path, [("limit", "50")], guid=form_guid):
            at = datetime.fromtimestamp(int(raw["submittedAt"]) / 1000, UTC)
            if at < since:
                break
            found.append(
                FormSubmission(
                    conversion_id=str(raw.get("conversionId") or ""),
                    submitted_at=at,
                    values={str(one["name"]): str(one.get("value") or "") for one in raw["values"]},
                    page_url=str(raw.get("pageUrl") or ""),
                )
            )
        return found

    def owners(self, *, archived: bool = False) -> list[Owner]:
        """Return the owners; archived ones still stand in old records."""
        return [
            Owner(
                id=str(raw["id"]),
                email=raw.get("email"),
                name=f"{raw.get('firstName') or ''} {raw.get('lastName') or ''}".strip(),
                archived=bool(raw.get("archived")),
                user_id=str(raw["userId"]) if raw.get("userId") else None,
            )
            for raw in self._walk(
                "/crm/v3/owners/", [("limit", "100"), ("archived", str(archived).lower())]
            )
        ]

    # -- properties and lists ----------------------------------------------------------------

    def property_definitions(self, object_type: str = "contacts") -> dict[str, PropertyDefinition]:
        """Return all property definitions of an object type by internal name."""
        answer = self._client.call(self._api.crm.properties.core_api.get_all, object_type)
        defined = (PropertyDefinition.from_json(raw) for raw in answer.get("results") or ())
        return {one.name: one for one in defined}

    def property_groups(self, object_type: str = "contacts") -> dict[str, str]:
        """Return the labels of the property groups by internal name."""
        answer = self._client.call(self._api.crm.properties.groups_api.get_all, object_type)
        return {str(raw["name"]): str(raw.get("label")) for raw in answer.get("results") or ()}

    def create_property_group(self, name: str, label: str, object_type: str = "contacts") -> bool:
        """Create a property group; False when it exists already."""
        body = {"name": name, "label": label, "displayOrder": -1}
        return self._create(self._api.crm.properties.groups_api.create, object_type, body)

    def create_properties(
        self, definitions: Sequence[PropertyDefinition], object_type: str = "contacts"
    ) -> tuple[str, ...]:
        """Create the properties that do not exist yet; return their names."""
        create = self._api.crm.properties.core_api.create
        return tuple(
            one.name for one in definitions if self._create(create, object_type, one.to_json())
        )

    def find_list(self, name: str) -> str | None:
        """Return the id of the contact list with this name, or None."""
        try:
            return self._list_named(name)
        except NotFoundError:
            return None

    def ensure_list(self, name: str) -> str:
        """Return the id of the static contact list `name`; creates it when it is not there."""
        known = self.find_list(name)
        if known is not None:
            return known
        body = {"name": name, "objectTypeId": _CONTACT_TYPE, "processingType": "MANUAL"}
        self._create(self._api.crm.lists.lists_api.create, body)
        return self._list_named(name)  # whether we or another worker made it

    def add_to_list(self, list_id: str, ids: Sequence[str]) -> ListChange:
        """Add contacts to a static list; those that are members already change nothing."""
        return self._change_list("add", list_id, ids)

    def remove_from_list(self, list_id: str, ids: Sequence[str]) -> ListChange:
        """Take contacts off a static list."""
        return self._change_list("remove", list_id, ids)

    # -- inside ------------------------------------------------------------------------------

    def _search(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        search = self._api.crm.contacts.search_api.do_search
        answer: Mapping[str, Any] = self._client.call(search, body)
        return answer

    def _contacts_page(
        self,
        properties: Sequence[str],
        after: str | None,
        *,
        limit: int = 100,
        archived: bool = False,
    ) -> Mapping[str, Any]:
        options: dict[str, Any] = {"limit": limit, "archived": archived}
        if properties:
            # One comma-joined value: repeated parameters make the URL a third longer.
            options["properties"] = [",".join(dict.fromkeys((*properties, *_MERGED)))]
        if after is not None:
            options["after"] = after
        get_page = self._api.crm.contacts.basic_api.get_page
        page: Mapping[str, Any] = self._client.call(get_page, **options)
        return page

    def _read_batch(
        self, ids: Sequence[str], properties: Sequence[str]
    ) -> tuple[dict[str, ContactRow], list[str]]:
        read = self._api.crm.contacts.batch_api.read
        answer = self._client.call(read, _batch_read(ids, properties))
        asked = set(ids)
        found: dict[str, ContactRow] = {}
        for raw in answer.get("results") or ():
            row = contact_row(raw)
            for one in (*(merged for merged in row.merged_ids if merged in asked), row.id):
                if one in asked:
                    found[one] = row
        missing = [one for one in _missing_ids(answer) if one in asked and one not in found]
        for one in asked.difference(found, missing):
            # Neither answered nor reported: a merge that the properties do not tell of.
            row_or_none = self._read_one(one, properties)
            if row_or_none is None:
                missing.append(one)
            else:
                found[one] = row_or_none
        return found, missing

    def _read_one(self, contact_id: str, properties: Sequence[str]) -> ContactRow | None:
        get_by_id = self._api.crm.contacts.basic_api.get_by_id
        try:
            raw = self._client.call(get_by_id, contact_id, properties=[",".join(properties)])
        except NotFoundError:
            return None
        return contact_row(raw)

    def _update_batch(self, batch: Sequence[ContactUpdate]) -> dict[str, WriteResult]:
        return update_batch(_Writes(self._client), batch)

    def _create(self, create: Callable[..., Any], *args: Any) -> bool:
        """Create something with a unique name; False when it is there already."""
        try:
            self._client.call(create, *args)
        except ConflictError:
            return False
        return True

    def _list_named(self, name: str) -> str:
        answer = self._client.call(self._api.crm.lists.lists_api.get_by_name, name, _CONTACT_TYPE)
        return str((answer.get("list") or answer)["listId"])

    def _change_list(self, verb: str, list_id: str, ids: Sequence[str]) -> ListChange:
        changed: list[str] = []
        missing: list[str] = []
        api = self._api.crm.lists.memberships_api
        change = api.add if verb == "add" else api.remove
        for batch in batches(list(dict.fromkeys(ids)), _LIST_BATCH):
            answer = self._client.call(change, list_id, list(batch)) or {}
            # HubSpot really spells these two keys differently.
            changed += answer.get("recordsIdsAdded" if verb == "add" else "recordIdsRemoved") or ()
            missing += answer.get("recordIdsMissing") or ()
        return ListChange(tuple(map(str, changed)), tuple(map(str, missing)))

    def _walk(
        self, path: str, query: list[tuple[str, str]], **ids: str
    ) -> Iterator[Mapping[str, Any]]:
        after: str | None = None
        while True:
            page = self._client.get(path, query + ([("after", after)] if after else []), **ids)
            yield from page.get("results") or ()
            following = ((page.get("paging") or {}).get("next") or {}).get("after")
            if following is None or str(following) == after:
                return
            after = str(following)


@dataclass(frozen=True, slots=True)
class _Writes:
    """The two ways to write contacts, as `update_batch` wants them."""

    client: HubSpotClient

    def batch(self, inputs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        update = self.client.api.crm.contacts.batch_api.update
        answer: Mapping[str, Any] = self.client.call(update, {"inputs": list(inputs)})
        return answer

    def single(self, contact_id: str, properties: Mapping[str, str]) -> Mapping[str, Any]:
        update = self.client.api.crm.contacts.basic_api.update
        body = {"properties": dict(properties)}
        answer: Mapping[str, Any] = self.client.call(update, contact_id, body)
        return answer


def _batch_read(ids: Sequence[str], properties: Sequence[str]) -> dict[str, Any]:
    return {
        "properties": list(dict.fromkeys(properties)),
        "propertiesWithHistory": [],
        "inputs": [{"id": one} for one in ids],
    }


def _missing_ids(answer: Mapping[str, Any]) -> list[str]:
    return [
        str(one)
        for error in answer.get("errors") or ()
        for one in (error.get("context") or {}).get("ids") or ()
    ]
