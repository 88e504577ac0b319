"""The HubSpot gateway: what Baton reads from HubSpot and writes to it, in Baton's words.

Synchronous; meant to be held for a task's life and shared between its threads. Batches hold at
most 100 records. Results are mapped by id and never zipped with what was sent: HubSpot answers in
another order, leaves records out, and answers under the id of the record that survived a merge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from baton.connections import HubSpotConnection
from baton.crm.hubspot.changes import read_window
from baton.crm.hubspot.client import HubSpotClient
from baton.crm.hubspot.faults import NotFoundError
from baton.crm.hubspot.portal_setup import PortalSetup
from baton.crm.hubspot.rows import (
    Changed,
    ChangesRead,
    ContactRow,
    ContactsRead,
    ContactUpdate,
    Form,
    FormSubmission,
    HubSpotAccount,
    Owner,
    PropertyValue,
    contact_row,
    property_values,
)
from baton.crm.hubspot.updates import BATCH, update_batch
from baton.crm.results import WriteResult, batches, write_in_batches
from baton.errors import ContractError, PermissionDeniedError
from baton.transport import RateLimiter, RetryTerms

_HISTORY_BATCH = 50
_LIST_PAGE = 100
_MERGED = ("hs_merged_object_ids", "hs_calculated_merged_vids")
_A_MINUTE = timedelta(minutes=1)


class HubSpotGateway(PortalSetup):
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

    def time_zone(self) -> str:
        """Return the portal's IANA zone: at its midnight the day's calls begin anew."""
        return str(self._client.get("/account-info/v3/details").get("timeZone") or "UTC")

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
            page = self._contacts_page(properties, after, limit=_LIST_PAGE, archived=archived)
            rows = [contact_row(raw) for raw in page.get("results") or ()]
            if rows:
                yield rows
            following = ((page.get("paging") or {}).get("next") or {}).get("after")
            if following is None:
                return
            if str(following) == after:
                raise ContractError(self.connection.conn_id, "a page names itself as the next one")
            after = str(following)

    def contact_range(self) -> tuple[int, int]:
        """Return how many contacts there are, and the highest id among them (0: none)."""
        newest = [{"propertyName": "hs_object_id", "direction": "DESCENDING"}]
        body = {"limit": 1, "properties": ["hs_object_id"], "sorts": newest}
        found = self._search(body)
        results = found.get("results") or ()
        return int(found.get("total") or 0), max((int(one["id"]) for one in results), default=0)

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

    def archived_contacts(self, ids: Sequence[str]) -> frozenset[str]:
        """Return those of these contacts that lie in HubSpot's bin, from which people restore."""
        found: set[str] = set()
        for batch in batches(list(dict.fromkeys(ids)), BATCH):
            read = self._api.crm.contacts.batch_api.read
            answer = self._client.call(read, _batch_read(batch, ["email"]), archived=True)
            found.update(str(raw["id"]) for raw in answer.get("results") or ())
        return frozenset(found)

    def property_history(
        self, ids: Sequence[str], names: Sequence[str]
    ) -> dict[str, dict[str, tuple[PropertyValue, ...]]]:
        """Return what these properties were over time, newest first, by contact and property.

        Costs a call for 50 contacts; those that do not exist are left out.
        """
        found: dict[str, dict[str, tuple[PropertyValue, ...]]] = {}
        for batch in batches(list(dict.fromkeys(ids)), _HISTORY_BATCH):
            body = _batch_read(batch, ()) | {"propertiesWithHistory": list(names)}
            answer = self._client.call(self._api.crm.contacts.batch_api.read, body)
            found |= {str(raw["id"]): property_values(raw) for raw in answer.get("results") or ()}
        return found

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
        limit: int,
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
        return update_batch(_Writes(self._client), batch, conn_id=self.connection.conn_id)

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
