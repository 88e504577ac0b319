"""The card that a rep reads in Slack: at most ten lines, and a plain text for notifications.

Takes plain strings, so that nothing here depends on how a package is made. What comes from a buyer
(names, companies, answers) is escaped, cut and isolated: a name written from right to left must not
turn the line around, and no name may mention a channel or hide a link.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

MAX_LINES = 10
_HEADLINE = 140
_NAME = 60
_SECTION = 3000
"""Slack's bound for the text of a section, counted after escaping."""
_LIMITS = (240, 120, 40)
_MOST_LINKS = 5
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_BIDI = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says; every part but the headline may be empty.

    `headline` is ours ("Hot lead: demo request"). `lines` are ready-made lines of the package,
    most important first; `reasons` the words of the strongest scoring rules; `answers` lines of
    "question: answer". `due_text` says when the first touch is due. `links` and `enablement` are
    pairs of label and address. `owner_mention` is the owner's Slack user id.
    """

    headline: str
    lead_name: str = ""
    company: str = ""
    score: str = ""
    band: str = ""
    trigger: str = ""
    source: str = ""
    lines: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    opening: str = ""
    due_text: str = ""
    links: tuple[tuple[str, str], ...] = ()
    enablement: tuple[tuple[str, str], ...] = ()
    owner_mention: str | None = None


@dataclass(frozen=True, slots=True)
class RenderedCard:
    """A card ready to post: `text` for notifications, `blocks` for Slack, `lines` as shown."""

    text: str
    blocks: list[dict[str, object]]
    lines: tuple[str, ...]


def render(card: Card) -> RenderedCard:
    """Render a card in at most ten lines; middle lines that find no room are counted instead."""
    headline = cut(_flat(card.headline), _HEADLINE)
    shown = next(
        (lines for lines in (_lines(card, limit) for limit in _LIMITS) if _fits(lines)),
        (),
    )
    blocks: list[dict[str, object]] = [
        {"type": "header", "text": {"type": "plain_text", "text": headline, "emoji": True}}
    ]
    if shown:
        section = {"type": "mrkdwn", "text": "\n".join(shown)}
        blocks.append({"type": "section", "text": section})
    text = ": ".join(part for part in (escape(headline), _who(card)) if part)
    return RenderedCard(text=text, blocks=blocks, lines=(headline, *shown))


def _lines(card: Card, limit: int) -> tuple[str, ...]:
    """Return the lines below the headline, each value cut to `limit` characters."""
    who = _who(card)
    mention = f"<@{card.owner_mention}>" if card.owner_mention else ""
    before = [" ".join(part for part in (f"*{who}*" if who else "", mention) if part)]
    after = [
        f"_Opening:_ {_value(card.opening, limit)}" if card.opening.strip() else "",
        f":alarm_clock: {_value(card.due_text, limit)}" if card.due_text.strip() else "",
        " · ".join(link(*pair) for pair in (card.links + card.enablement)[:_MOST_LINKS]),
    ]
    middle = [_score(card, limit), _value("; ".join(card.reasons), limit)]
    middle += [_value(line, limit) for line in card.lines + card.answers]
    before, middle, after = ([one for one in part if one] for part in (before, middle, after))
    room = MAX_LINES - 1 - len(before) - len(after)
    if len(middle) > room:
        hidden = len(middle) - room + 1
        middle = [*middle[: room - 1], f"… and {hidden} more in Salesforce"]
    return (*before, *middle, *after)


def _who(card: Card) -> str:
    parts = (_value(card.lead_name, _NAME), _value(card.company, _NAME))
    return ", ".join(part for part in parts if part)


def _score(card: Card, limit: int) -> str:
    parts = (
        f"Score {card.score}" if card.score.strip() else "",
        card.band,
        card.trigger,
        f"from {card.source}" if card.source.strip() else "",
    )
    return _value(" · ".join(part for part in parts if part.strip()), limit)


def _fits(lines: tuple[str, ...]) -> bool:
    return len("\n".join(lines)) <= _SECTION


def escape(text: str) -> str:
    """Escape the three characters that mean something to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def isolate(text: str) -> str:
    """Keep the writing direction of `text` from reaching its surroundings."""
    needs = any(unicodedata.bidirectional(one) in ("R", "AL", "AN") for one in text)
    return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}" if needs else text


def link(label: str, address: str) -> str:
    """Render a link; an address that is not http(s) leaves only its label."""
    shown = escape(cut(_flat(label), 60).replace("|", "/"))
    if urlsplit(address).scheme not in ("http", "https"):
        return shown
    return f"<{quote(address, safe=':/?#[]@!$&()*+,;=%~-._')}|{shown}>"


def cut(text: str, limit: int) -> str:
    """Cut `text` to `limit` characters with an ellipsis, never inside an emoji or an accent."""
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and (_continues(text[end]) or text[end - 1] == _JOINER):
        end -= 1
    if _is_flag_letter(text[end]) and _flag_letters_before(text, end) % 2:
        end -= 1
    return f"{text[:end].rstrip()}…"


def _value(text: str, limit: int) -> str:
    return isolate(escape(cut(_flat(text), limit)))


def _flat(text: str) -> str:
    """Make one line of `text`, without control characters and direction marks."""
    spaced = "".join(
        " " if one.isspace() or unicodedata.category(one) == "Cc" else one
        for one in text.translate(_BIDI)
    )
    return " ".join(spaced.split())


def _continues(one: str) -> bool:
    joins = one in (_JOINER, "\ufe0e", "\ufe0f") or 0x1F3FB <= ord(one) <= 0x1F3FF
    return (
        joins or unicodedata.category(one) in ("Mn", "Me", "Mc") or 0xE0020 <= ord(one) <= 0xE007F
    )


def _is_flag_letter(one: str) -> bool:
    return 0x1F1E6 <= ord(one) <= 0x1F1FF


def _flag_letters_before(text: str, end: int) -> int:
    count = 0
    while end - count > 0 and _is_flag_letter(text[end - count - 1]):
        count += 1
    return count
