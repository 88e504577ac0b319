"""A recursive-descent parser for SOQL: one method for each rule of the grammar.

The grammar::

    query := SELECT items FROM name [alias] [WHERE cond] [GROUP BY path {, path}]
             [ORDER BY order {, order}] [LIMIT n] [OFFSET n] [FOR VIEW | FOR REFERENCE]
    items := COUNT() | item {, item}
    item  := path [alias] | function(path) [alias] | (query) | FIELDS(ALL | STANDARD | CUSTOM)
    cond  := term {AND term} | term {OR term}       AND and OR do not mix without parentheses
    term  := NOT term | (cond) | predicate
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from crm_sandbox.salesforce.soql.lexer import Kind, Token, tokens
from crm_sandbox.salesforce.soql.periods import COUNTED_PERIODS, PERIODS
from crm_sandbox.salesforce.soql.syntax import (
    Aggregate,
    And,
    Comparison,
    Condition,
    Literal,
    Membership,
    Not,
    Or,
    Order,
    Path,
    Period,
    Query,
    SelectChildren,
    SelectFields,
    SelectItem,
    SelectPath,
    Text,
    malformed,
    unexpected,
)
from crm_sandbox.salesforce.values import parse_date, parse_datetime

MAX_QUERY = 100_000
MAX_STRING = 4_000
MAX_OFFSET = 2_000
_FUNCTIONS = frozenset({"COUNT", "COUNT_DISTINCT", "MAX", "MIN", "SUM", "AVG"})
_CLAUSES = frozenset({"FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "FOR", "HAVING",
                      "WITH", "USING", "ALL", "UPDATE"})  # fmt: skip
_OPERATORS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_ITEM = TypeVar("_ITEM")


def parse(text: str) -> Query:
    """Parse one query. Raises OrgFault MALFORMED_QUERY or QUERY_TOO_COMPLICATED."""
    if len(text) > MAX_QUERY:
        raise malformed(f"SOQL statements cannot be longer than {MAX_QUERY} characters.")
    if not text.strip():
        raise malformed("A query string has to be specified")
    parser = _Parser(text)
    query = parser.query()
    parser.end()
    return query


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._next = 0
        self._depth = 0

    # -- tokens -------------------------------------------------------------------------------

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _ahead(self, steps: int) -> Token:
        return self._tokens[min(self._next + steps, len(self._tokens) - 1)]

    def _take(self) -> Token:
        token = self._token
        if token.kind is not Kind.END:
            self._next += 1
        return token

    def _is_word(self, *words: str) -> bool:
        return self._token.kind is Kind.NAME and self._token.upper in words

    def _is_symbol(self, symbol: str) -> bool:
        return self._token.kind is Kind.SYMBOL and self._token.text == symbol

    def _skip_word(self, word: str) -> bool:
        if self._is_word(word):
            self._take()
            return True
        return False

    def _skip_symbol(self, symbol: str) -> bool:
        if self._is_symbol(symbol):
            self._take()
            return True
        return False

    def _word(self, word: str) -> None:
        if not self._skip_word(word):
            raise malformed(f"expecting {word}, found {self._token.text!r}")

    def _symbol(self, symbol: str) -> None:
        if not self._skip_symbol(symbol):
            raise unexpected(self._token.text)

    def _name(self) -> Token:
        if self._token.kind is not Kind.NAME:
            raise unexpected(self._token.text)
        return self._take()

    def end(self) -> None:
        """Nothing may follow."""
        if self._token.kind is not Kind.END:
            raise unexpected(self._token.text)

    def _listed(self, one: Callable[[], _ITEM]) -> tuple[_ITEM, ...]:
        found = [one()]
        while self._skip_symbol(","):
            found.append(one())
        return tuple(found)

    # -- clauses ------------------------------------------------------------------------------

    def query(self) -> Query:
        """A whole query, top level or nested."""
        self._word("SELECT")
        counted = self._skip_count()
        select = () if counted else self._listed(self._item)
        self._word("FROM")
        source = self._name()
        if self._skip_symbol("."):
            raise unexpected(".")
        alias = self._alias()
        where = self._condition() if self._skip_word("WHERE") else None
        group_by = self._after("GROUP", self._path)
        order_by = self._after("ORDER", self._order)
        limit = self._count() if self._skip_word("LIMIT") else None
        offset = self._count() if self._skip_word("OFFSET") else 0
        self._purpose()
        if offset > MAX_OFFSET:
            raise malformed(f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        return Query(
            self._text, select, counted, source.text, source.position, alias, where, group_by,
            order_by, limit, offset,
        )  # fmt: skip

    def _skip_count(self) -> bool:
        empty = self._ahead(1).text == "(" and self._ahead(2).text == ")"
        if self._is_word("COUNT") and empty:
            self._next += 3
            if self._is_symbol(","):
                raise malformed("COUNT() cannot be used together with other fields")
            return True
        return False

    def _alias(self) -> str | None:
        if self._skip_word("AS"):
            return self._name().text
        if self._token.kind is Kind.NAME and self._token.upper not in _CLAUSES:
            return self._take().text
        return None

    def _after(self, word: str, one: Callable[[], _ITEM]) -> tuple[_ITEM, ...]:
        if not self._skip_word(word):
            return ()
        self._word("BY")
        return self._listed(one)

    def _purpose(self) -> None:
        while self._skip_word("FOR"):
            if not self._skip_word("VIEW") and not self._skip_word("REFERENCE"):
                raise unexpected(self._token.text)

    def _count(self) -> int:
        token = self._take()
        if token.kind is not Kind.NUMBER or not token.text.isdigit():
            raise unexpected(token.text)
        return int(token.text)

    # -- the select list ----------------------------------------------------------------------

    def _item(self) -> SelectItem:
        if self._skip_symbol("("):
            query = self.query()
            self._symbol(")")
            return SelectChildren(query)
        if self._ahead(1).text == "(" and self._token.kind is Kind.NAME:
            return self._call()
        path = self._path()
        alias = None
        if self._token.kind is Kind.NAME and self._token.upper not in _CLAUSES:
            alias = self._take().text
        return SelectPath(path, alias)

    def _call(self) -> Aggregate | SelectFields:
        if not self._is_word("FIELDS"):
            return self._aggregate(aliased=True)
        position = self._take().position
        self._symbol("(")
        scope = self._name().upper
        if scope not in ("ALL", "STANDARD", "CUSTOM"):
            raise unexpected(scope)
        self._symbol(")")
        return SelectFields(scope, position)

    def _aggregate(self, *, aliased: bool) -> Aggregate:
        function = self._name()
        if function.upper not in _FUNCTIONS:
            raise malformed(f"unknown function: {function.text}")
        self._symbol("(")
        path = self._path()
        self._symbol(")")
        alias = None
        if aliased and self._token.kind is Kind.NAME and self._token.upper not in _CLAUSES:
            alias = self._take().text
        return Aggregate(function.upper, path, alias)

    def _path(self) -> Path:
        first = self._name()
        parts = [first.text]
        while self._skip_symbol("."):
            parts.append(self._name().text)
        return Path(tuple(parts), first.position)

    def _order(self) -> Order:
        call = self._ahead(1).text == "("
        by = self._aggregate(aliased=False) if call else self._path()
        descending = False
        if self._skip_word("DESC"):
            descending = True
        else:
            self._skip_word("ASC")
        nulls_last = False
        if self._skip_word("NULLS"):
            nulls_last = self._skip_word("LAST")
            if not nulls_last:
                self._word("FIRST")
        return Order(by, descending, nulls_last)

    # -- conditions ---------------------------------------------------------------------------

    def _condition(self) -> Condition:
        self._depth += 1
        if self._depth > 60:
            raise malformed("the condition is nested too deeply")
        parts = [self._term()]
        joiner = None
        while self._is_word("AND", "OR"):
            word = self._take().upper
            if joiner not in (None, word):
                raise unexpected(word)
            joiner = word
            parts.append(self._term())
        self._depth -= 1
        if joiner is None:
            return parts[0]
        return And(tuple(parts)) if joiner == "AND" else Or(tuple(parts))

    def _term(self) -> Condition:
        negations = 0
        while self._skip_word("NOT"):
            negations += 1
        if self._skip_symbol("("):
            condition = self._condition()
            self._symbol(")")
        else:
            condition = self._predicate()
        return Not(condition) if negations % 2 else condition

    def _predicate(self) -> Condition:
        path = self._path()
        if self._is_word("IN", "NOT"):
            negated = self._skip_word("NOT")
            self._word("IN")
            return self._membership(path, negated=negated)
        if self._skip_word("LIKE"):
            token = self._take()
            if token.kind is not Kind.TEXT:
                raise unexpected(token.text)
            return Comparison(path, "LIKE", Text(token.text))
        token = self._take()
        if token.kind is not Kind.SYMBOL or token.text not in _OPERATORS:
            raise unexpected(token.text)
        return Comparison(path, _OPERATORS[token.text], self._literal())

    def _membership(self, path: Path, *, negated: bool) -> Membership:
        self._symbol("(")
        if self._is_word("SELECT"):
            query = self.query()
            self._symbol(")")
            return Membership(path, negated, query)
        values = self._listed(self._literal)
        self._symbol(")")
        return Membership(path, negated, values)

    def _literal(self) -> Literal:
        token = self._take()
        if token.kind is Kind.TEXT:
            if len(token.text) > MAX_STRING:
                raise malformed(f"a string literal has more than {MAX_STRING} characters")
            return Text(token.text)
        if token.kind is Kind.NUMBER:
            return float(token.text) if "." in token.text else int(token.text)
        if token.kind in (Kind.DATE, Kind.DATETIME):
            return _moment(token)
        if token.kind is Kind.NAME:
            return self._word_literal(token)
        raise unexpected(token.text)

    def _word_literal(self, token: Token) -> Literal:
        words: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}
        if token.upper in words:
            return words[token.upper]
        if token.upper in COUNTED_PERIODS:
            self._symbol(":")
            return Period(token.upper, self._count())
        if token.upper in PERIODS:
            return Period(token.upper)
        raise unexpected(token.text)


def _moment(token: Token) -> date | datetime:
    found = parse_date(token.text) if token.kind is Kind.DATE else parse_datetime(token.text)
    if found is None:
        raise malformed(f"invalid date or time: {token.text}")
    return found
