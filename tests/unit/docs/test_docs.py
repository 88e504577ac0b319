"""The documents keep up: links resolve, commands exist, examples parse, metrics are all there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from baton.audit.metrics import METRICS, Metric, Target
from baton.cli import app as baton_app
from baton.policy.loader import parse_policy, read_bundle, roster_from_yaml
from baton.policy.models import Policy
from crm_sandbox.cli import app as sandbox_app

ROOT = Path(__file__).resolve().parents[3]
POLICY = ROOT / "include" / "policy"
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        ROOT / "include" / "salesforce" / "README.md",
    ]
)
FENCE = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
INLINE = re.compile(r"`([^`\n]+)`")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def every_page(*, of: str = "") -> Any:
    return pytest.mark.parametrize("page", [p for p in PAGES if of in named(p)], ids=named)


def commands(page: Path) -> Iterator[list[str]]:
    """Every shell line and inline code of a page that calls one of our commands, as words."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in FENCE.finditer(text) for line in block["text"].splitlines()]
    lines += INLINE.findall(FENCE.sub("", text))
    for line in lines:
        code = line.strip().removeprefix("$ ").split(" #")[0]
        code = re.sub(r"^docker compose exec [a-z-]+ ", "", code)
        words = re.sub(r'^([A-Z_]+=\S*|export \S+="\$\()\s*', "", code).split()
        if words and words[0] in {"baton", "crm-sandbox", "make"} and len(words) > 1:
            yield words


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page()
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def problem_of(words: list[str], top: Any) -> str | None:
    """Say what a command line names that does not exist, or None."""
    command = top
    for word in words[1:]:
        if word in {"/", "…", "..."}:
            return None
        if word.startswith("--"):
            name = word.split("=")[0].rstrip(",;)\"'")
            known = {
                option for one in command.params for option in (*one.opts, *one.secondary_opts)
            }
            if name != "--help" and name not in known:
                return f"{' '.join(words)}: no option {name}"
        elif hasattr(command, "commands"):
            name = word.rstrip(",;)\"'")
            if name not in command.commands:
                return f"{' '.join(words)}: no command {name}"
            command = command.commands[name]
    return None


@every_page()
def test_commands_that_are_named_exist(page: Path) -> None:
    tops = {
        "baton": typer.main.get_command(baton_app),
        "crm-sandbox": typer.main.get_command(sandbox_app),
    }
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    variables = set(re.findall(r'^\s*@echo "  ([A-Z]+)=', makefile, re.MULTILINE))
    problems = []
    for words in commands(page):
        if words[0] != "make":
            problems.append(problem_of(words, tops[words[0]]))
            continue
        for word in words[1:]:
            name, assigns, _ = word.partition("=")
            if not re.fullmatch(r"[A-Za-z-]+", name):
                break  # the rest belongs to ARGS='…' or is prose
            if name not in (variables if assigns else targets):
                problems.append(f"make: no {name}")
            if name == "ARGS":
                break
    assert [one for one in problems if one] == []


def test_the_check_for_commands_can_fail() -> None:
    top = typer.main.get_command(baton_app)
    assert problem_of(["baton", "policy", "check", "include/policy"], top) is None
    assert problem_of(["baton", "policy", "publish"], top) is not None
    assert problem_of(["baton", "demo", "--twice"], top) is not None


def every_command(top: Any, path: tuple[str, ...]) -> Iterator[str]:
    for name, command in top.commands.items():
        if hasattr(command, "commands"):
            yield from every_command(command, (*path, name))
        else:
            yield " ".join((*path, name))


def test_the_readme_lists_every_command_and_every_dag() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    wanted = [*every_command(typer.main.get_command(baton_app), ("baton",))]
    wanted += [path.stem for path in (ROOT / "dags").glob("*.py")]
    assert [name for name in wanted if f"`{name}" not in text] == []


def examples(kind: str) -> list[str]:
    text = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    return [block["text"] for block in FENCE.finditer(text) if block["kind"].strip() == kind]


@pytest.mark.parametrize("example", examples("yaml"), ids=lambda text: text.split(":")[0])
def test_policy_examples_are_overlays_that_the_shipped_policy_accepts(
    example: str, tmp_path: Path
) -> None:
    overlay = tmp_path / "example.yaml"
    overlay.write_text(example, encoding="utf-8")
    changed = parse_policy(read_bundle(POLICY, overlay))
    assert _content(changed) != _content(parse_policy(read_bundle(POLICY)))


def _content(policy: Policy) -> Policy:
    return policy.model_copy(update={"hash": ""})


def test_the_policy_page_has_its_examples() -> None:
    assert len(examples("yaml")) >= 6
    assert len(examples("yaml roster")) == 1


def test_the_conditions_of_the_policy_page_parse(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    table = text.split("## Conditions")[1].split("## ")[0]
    found = re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)
    assert len(found) >= 10
    rules = "\n".join(
        f"  - {{id: example-{number}, when: {condition}, say: example}}"
        for number, condition in enumerate(found)
    )
    overlay = tmp_path / "conditions.yaml"
    overlay.write_text(f"suppress:\n{rules}\n", encoding="utf-8")
    assert len(parse_policy(read_bundle(POLICY, overlay)).suppress) == len(found)


def test_the_roster_example_parses() -> None:
    roster = roster_from_yaml(examples("yaml roster")[0])
    assert len(roster.people) == 3


def metric_row(metric: Metric) -> str:
    """The line of docs/metrics.md for a metric."""
    targets = "; ".join(_target(one) for one in metric.targets) or "–"
    cells = (
        f"`{metric.name}`",
        f"**{metric.title}.** {metric.words}",
        metric.formula,
        metric.unit.value,
        metric.cohort.value,
        targets,
    )
    return "| " + " | ".join(cells) + " |"


def _target(target: Target) -> str:
    return f"{target.best} {target.value:g} ({target.source})"


def test_every_metric_is_documented_as_it_is_defined() -> None:
    lines = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert rows == [metric_row(metric) for metric in METRICS.values()]


def test_the_index_of_decisions_is_complete() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for path in folder.glob("0*.md"):
        title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        number, words = title.split(" ", 1)
        assert f"| [{number}]({path.name}) | {words} |" in index


@every_page()
def test_pages_name_no_place_of_one_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(work|tmp|home|root)/", text)
