"""The closed vocabulary of Dag tags: what a Dag is for, and how urgent its failure is."""

from __future__ import annotations

from enum import StrEnum


class Tag(StrEnum):
    """Every tag a Dag of Baton may carry."""

    BATON = "baton"
    SCORE_AND_ROUTE = "chain/define-score-route"
    NOTIFY = "chain/notify"
    WORK = "chain/work"
    DISPOSITION = "chain/disposition"
    LEARN = "chain/learn"
    UPKEEP = "upkeep"
    PAGE_SOMEBODY = "impact/page-somebody"
    NEXT_MORNING = "impact/next-morning"
