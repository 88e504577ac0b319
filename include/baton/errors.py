"""Every error Baton raises, typed by what the caller can do about it.

* ``ConfigurationError``: a person must change something; never retried.
* ``RetriableGatewayError``: the other side may answer later; retry.
* ``FatalGatewayError``: the other side refuses us as we are; fail, say which connection.
* ``RecordError``: one record is the trouble; set it aside, the batch goes on.
* ``LedgerError``: our own database refuses or is away.
* ``InvariantError``: a bug of ours; stop loudly.

Messages name connections, fields and ids, never personal data: they end up in logs.
"""

from __future__ import annotations

from collections.abc import Sequence


class BatonError(Exception):
    """Root of all errors raised on purpose by Baton."""

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling between task processes with every attribute."""
        return (_rebuild, (type(self), self.args, self.__dict__.copy()))


def _rebuild(
    kind: type[BatonError], args: tuple[object, ...], state: dict[str, object]
) -> BatonError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(BatonError):
    """Something a person configured is wrong; the message says what and how to mend it."""


class SettingsError(ConfigurationError):
    """A setting or environment variable is missing or unusable."""


class MissingConnectionError(ConfigurationError):
    """A connection that is needed is not defined."""

    def __init__(self, connection: str, hint: str) -> None:
        super().__init__(f"connection '{connection}' is not defined: {hint}")
        self.connection = connection


class PolicyError(ConfigurationError):
    """A policy or roster cannot be used. Points at the place, shows the line, suggests a mend."""

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        snippet: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.message, self.file, self.line, self.column = message, file, line, column
        self.snippet, self.hint = snippet, hint
        super().__init__(self._text())

    def _text(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        lines = [f"{place}: {self.message}" if place else self.message]
        if self.snippet:
            lines.append(f"    {self.snippet.strip()}")
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)


class PolicyErrors(ConfigurationError):  # noqa: N818  # it is several of them
    """Several things are wrong with one policy; all of them are listed at once."""

    def __init__(self, errors: Sequence[PolicyError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in errors))


class GatewayError(BatonError):
    """A call to HubSpot, Salesforce or Slack did not do what it should."""

    def __init__(self, connection: str, message: str, *, status: int | None = None) -> None:
        super().__init__(f"{connection}: {message}")
        self.connection, self.status = connection, status


class RetriableGatewayError(GatewayError):
    """The same call may succeed later."""


class RateLimitedError(RetriableGatewayError):
    """The other side asked us to slow down. `retry_after` is in seconds; `daily` means until reset."""

    def __init__(
        self,
        connection: str,
        message: str,
        *,
        retry_after: float | None = None,
        daily: bool = False,
        status: int | None = 429,
    ) -> None:
        super().__init__(connection, message, status=status)
        self.retry_after, self.daily = retry_after, daily


class BudgetShortError(RateLimitedError):
    """The rest of the day's calls is kept for hotter work; nothing was sent. `retry_after` seconds."""

    def __init__(self, connection: str, message: str, *, retry_after: float) -> None:
        super().__init__(connection, message, retry_after=retry_after, daily=True, status=None)


class UnavailableError(RetriableGatewayError):
    """The other side is down or refused the call before doing anything."""


class AmbiguousOutcomeError(RetriableGatewayError):
    """The call was sent and its answer never came: it may or may not have been carried out."""


class FatalGatewayError(GatewayError):
    """Retrying the same call cannot help."""


class AuthenticationError(FatalGatewayError):
    """The credentials of a connection are refused."""


class PermissionDeniedError(FatalGatewayError):
    """The credentials are good but lack a scope or permission; `missing` names them."""

    def __init__(
        self,
        connection: str,
        message: str,
        *,
        missing: Sequence[str] = (),
        status: int | None = 403,
    ) -> None:
        super().__init__(connection, message, status=status)
        self.missing = tuple(missing)


class ContractError(FatalGatewayError):
    """The answer does not have the shape that the API promises (an HTML page, say)."""


class RecordError(BatonError):
    """One record could not be written. `code` is the other side's or our own reason code."""

    def __init__(self, code: str, message: str, *, fields: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.fields = code, message, tuple(fields)


class InvalidRecordError(RecordError):
    """Ours: the record was wrong before it was sent; sending it again is useless."""


class RejectedRecordError(RecordError):
    """Theirs: the other side refused the record for good (validation rule, permissions)."""


class RetriableRecordError(RecordError):
    """The record met a passing obstacle (row lock); try again later."""


class DuplicateRecordError(RejectedRecordError):
    """A duplicate rule stopped the record; `matches` are the ids of what it resembles, if told."""

    def __init__(
        self, code: str, message: str, *, fields: Sequence[str] = (), matches: Sequence[str] = ()
    ) -> None:
        super().__init__(code, message, fields=fields)
        self.matches = tuple(matches)


class OwnerInactiveError(RejectedRecordError):
    """The owner we wanted to write is not active any more: route again."""


class LedgerError(BatonError):
    """The ledger database refuses or is not there."""


class LedgerUnavailableError(LedgerError):
    """No connection to the ledger database."""


class MigrationNeededError(LedgerError):
    """The ledger's tables are not those of this version of Baton."""


class IllegalTransitionError(LedgerError):
    """A state change that the state machine does not list."""

    def __init__(self, subject: str, before: str, after: str) -> None:
        super().__init__(f"{subject} cannot go from '{before}' to '{after}'")
        self.subject, self.before, self.after = subject, before, after


class StaleLeaseError(LedgerError):
    """Another worker took the effect over; what this one did must not be recorded as its own."""


class InvariantError(BatonError):
    """Something that cannot be: a bug in Baton."""
