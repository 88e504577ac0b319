"""The demo-readiness quiz: questions, answers and what each answer is worth."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

QUIZ_NAME = "Demo-readiness quiz"

QUESTIONS: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = (
    (
        "How many leads reach sales each month?",
        (("Fewer than 50", 0), ("50 to 200", 10), ("More than 200", 15)),
    ),
    (
        "How soon does a rep answer today?",
        (("Within minutes", 0), ("Within a day", 10), ("Nobody knows", 15)),
    ),
    (
        "Who decides which rep gets a lead?",
        (("A rule in the CRM", 5), ("Somebody in marketing", 10), ("Whoever is quickest", 15)),
    ),
    (
        "Do sales and marketing share a written definition of a qualified lead?",
        (("Yes", 5), ("Being written", 15), ("No", 10)),
    ),
    ("Which CRM do you use?", (("Salesforce", 10), ("HubSpot only", 5), ("Another one", 0))),
    ("Is money set aside for this?", (("Yes", 15), ("Asked for", 10), ("No", 0))),
    ("When would you start?", (("Within three months", 15), ("This year", 5), ("Just looking", 0))),
)
"""Each question with its answers and their points; the best answers add up to 100."""


@dataclass(frozen=True, slots=True)
class QuizResult:
    """Answers in the order of the questions, and the sum of their points."""

    answers: tuple[tuple[str, str], ...]
    score: int

    def as_text(self) -> str:
        """One line an answer: `Question: answer`."""
        return "\n".join(f"{question}: {answer}" for question, answer in self.answers)


def answer_quiz(rng: Random, eagerness: float) -> QuizResult:
    """Answers of somebody whose `eagerness` lies between 0 and 1: more of it, more points."""
    chosen: list[tuple[str, str, int]] = []
    for question, answers in QUESTIONS:
        ordered = sorted(answers, key=lambda item: item[1])
        place = min(max(rng.gauss(eagerness, 0.28), 0.0), 0.999)
        text, points = ordered[int(place * len(ordered))]
        chosen.append((question, text, points))
    return _result(chosen)


def quiz_with_score(rng: Random, score: int) -> QuizResult:
    """Answers that add up to exactly `score`, which must be reachable (0 to 100, steps of 5).

    Raises ValueError when no answers give that score.
    """
    ways: dict[int, list[tuple[str, str, int]]] = {0: []}
    for question, answers in QUESTIONS:
        shuffled = rng.sample(answers, len(answers))
        ways = {
            total + points: [*chosen, (question, text, points)]
            for total, chosen in ways.items()
            for text, points in shuffled
        }
    if score not in ways:
        raise ValueError(f"no answers to the quiz add up to {score}")
    return _result(ways[score])


def _result(chosen: list[tuple[str, str, int]]) -> QuizResult:
    answers = tuple((question, text) for question, text, _ in chosen)
    return QuizResult(answers, sum(points for _, _, points in chosen))
