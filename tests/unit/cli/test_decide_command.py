"""``baton decide`` on files as people have them, with nothing running."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from baton.cli import app
from baton.pipeline.exports.decided_file import harmless

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"
AT = ("--at", "2026-11-24T10:00Z")
HEADER = (
    "Record ID,E-mail,First name,Last name,Company name,Company size,Industry,Job title,Phone,"
    "Country,Decision timeline,Budget range,Primary pain point,Demo requested at\n"
)
HOT = (
    "{n},robin{n}@softworks{n}.test,Robin,Tester{n},Softworks {n},300,COMPUTER_SOFTWARE,VP Sales,"
    "+49 30 901820,Germany,This quarter,50k_200k,leads go stale,2026-11-24T09:58:00Z\n"
)
COLD = "{n},kim{n}@firm{n}.test,Kim,Muster,Firm {n},12,,,,Spain,,,,\n"


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


@pytest.fixture
def decide(tmp_path: Path):
    """A function that writes rows into a file, decides on it and returns result and decisions."""

    def run(
        content: str, *options: object, at: tuple[str, ...] = AT
    ) -> tuple[Result, list[dict[str, str]]]:
        leads, out = tmp_path / "leads.csv", tmp_path / "decisions.csv"
        leads.write_text(content, encoding="utf-8")
        arguments = ["decide", leads, "--policy", POLICY, *at, "--out", out, *options]
        result = CliRunner().invoke(app, [str(one) for one in arguments])
        return result, rows_of(out) if out.is_file() else []

    return run


def test_a_lead_is_scored_and_routed_with_its_reasons(decide) -> None:
    result, rows = decide(HEADER + HOT.format(n=7) + COLD.format(n=8))
    assert result.exit_code == 0, result.output
    hot, cold = rows
    assert (hot["row"], hot["lead"], hot["outcome"], hot["state"]) == (
        "2", "7", "handoff", "in_handoff",
    )  # fmt: skip
    assert (hot["band"], hot["trigger"], hot["rule"]) == ("hot", "demo_request", "ae-mid-emea")
    assert hot["pool_or_queue"] == "AE Mid-market EMEA"
    assert hot["owner"].endswith("@relay.test")
    assert hot["score_reasons"].startswith("'+30 asked for a demo; +20 300 people, our size")
    assert (cold["outcome"], cold["reason_code"], cold["owner"]) == (
        "nurture", "below_threshold", "",
    )  # fmt: skip
    for words in ("handoff", "nurture", "AE Mid-market EMEA", "below threshold"):
        assert words in result.stdout


def test_the_same_file_gives_the_same_bytes(decide, tmp_path: Path) -> None:
    content = HEADER + "".join(HOT.format(n=n) if n % 3 else COLD.format(n=n) for n in range(40))
    decide(content)
    first = (tmp_path / "decisions.csv").read_bytes()
    decide(content)
    assert (tmp_path / "decisions.csv").read_bytes() == first


def test_a_pool_shares_out_fairly_over_the_whole_file(decide) -> None:
    small = "".join(HOT.format(n=n).replace(",300,", ",30,") for n in range(60))
    _, rows = decide(HEADER + small)
    owners = [row["owner"] for row in rows]
    assert {row["pool_or_queue"] for row in rows} == {"SDR DACH"}
    assert sorted(owners.count(one) for one in set(owners)) == [30, 30]


def test_bad_rows_are_kept_and_the_rest_goes_on(decide, tmp_path: Path) -> None:
    result, rows = decide(HEADER + "1,2\n" + HOT.format(n=3))
    assert result.exit_code == 0
    assert [row["row"] for row in rows] == ["3"]
    rejects = rows_of(tmp_path / "decisions.rejects.csv")
    assert rejects == [
        {"row": "2", "line": "2", "reason": "has 2 cells, the header has 14 columns", "text": "1,2"}
    ]
    assert "not read as rows: 1;" in result.stderr
    decide(HEADER + HOT.format(n=3))
    assert len((tmp_path / "decisions.rejects.csv").read_text().splitlines()) == 1


def test_values_that_are_none_become_reasons_and_never_stop_it(decide) -> None:
    row = HOT.format(n=1).replace("300,", "many,").replace("+49 30 901820", "call me")
    result, rows = decide(HEADER + row)
    assert rows[0]["outcome"] in ("handoff", "quarantine")
    assert "Company size" in result.stdout
    assert "Phone" in result.stdout


def test_columns_that_are_not_known_and_fields_without_one_are_said(decide) -> None:
    result, _ = decide("Mail adress,Emial,Surname\na,b,c\n", "--map", "Mail adress=E-mail")
    assert "Mail adress → E-mail" in result.stderr
    assert "Emial (did you mean 'email'?)" in result.stderr
    assert "no column fills 'Last name', which is required for" in result.stderr


def test_formulas_are_disarmed(decide) -> None:
    content = HEADER + HOT.format(n='"=HYPERLINK(""http://bad.test"")"')
    _, rows = decide(content)
    assert rows[0]["lead"].startswith("'=HYPERLINK")
    assert [harmless(text) for text in ("=1", "+1", "-1", "@a", "\ta", "a=1", "")] == [
        "'=1", "'+1", "'-1", "'@a", "'\ta", "a=1", "",
    ]  # fmt: skip


def test_a_negative_score_stays_a_number(decide) -> None:
    row = "1,kim@gmail.com,Kim,M,Firm,3,,,,,Just looking,,,\n"
    _, rows = decide(HEADER + row)
    assert float(rows[0]["score"]) < 0
    assert rows[0]["score"].startswith("-")


def test_accounts_route_to_their_owner(decide, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(
        "Id;Name;Website;Owner;Type\n"
        "001;Softworks 7;https://www.softworks7.test;Ines.Moreau@relay.test;Customer\n"
    )
    _, rows = decide(HEADER + HOT.format(n=7), "--accounts", accounts)
    assert (rows[0]["rule"], rows[0]["owner"]) == ("customer", "ines.moreau@relay.test")


def test_the_limit_on_a_run_counts_only_when_asked(decide, tmp_path: Path) -> None:
    overlay = tmp_path / "low.yaml"
    overlay.write_text("guards: {handoffs_per_run: 1}\nbands: {warm: {hands_off: true}}\n")
    warm = "".join(
        HOT.format(n=n).replace("2026-11-24T09:58:00Z", "") for n in range(4)
    )  # fmt: skip
    _, free = decide(HEADER + warm, "--overlay", overlay)
    assert {row["outcome"] for row in free} == {"handoff"}
    _, held = decide(HEADER + warm, "--overlay", overlay, "--guard")
    assert [row["reason_code"] for row in held][1:] == ["blast_radius"] * 3


def test_one_row_is_explained(decide) -> None:
    result, _ = decide(HEADER + COLD.format(n=1) + HOT.format(n=2), "--explain", "3")
    assert result.exit_code == 0
    assert "row 3: " in result.stdout
    assert "asked for a demo" in result.stdout
    assert "Robin" not in result.stdout
    missing, _ = decide(HEADER + HOT.format(n=2), "--explain", "9")
    assert missing.exit_code == 2
    assert "no lead in row 9" in missing.stderr


def test_the_summary_as_json_is_all_there_is_on_standard_output(decide) -> None:
    result, _ = decide(HEADER + HOT.format(n=1) + COLD.format(n=2) + "x\n", "--json")
    found = json.loads(result.stdout)
    assert (found["rows"], found["decided"], found["rejected"]) == (3, 2, 1)
    assert found["outcomes"] == {"handoff": 1, "nurture": 1}
    assert found["not_handed_off"] == [
        {"outcome": "nurture", "reason": "below threshold", "leads": 1}
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--map", "nothing"), "must look like"),
        (("--roster", "nowhere.yaml"), "there is no roster nowhere.yaml"),
        (("--mapping", "nowhere.yaml"), "there is no mapping file"),
        (("--accounts", "nowhere.csv"), "there is no file nowhere.csv"),
        (("--overlay", "nowhere.yaml"), "nowhere.yaml"),
        (("--out", "/nowhere/at/all.csv"), "cannot be written"),
    ],
)
def test_what_cannot_be_used_ends_with_two_and_says_why(decide, options, message) -> None:
    result, _ = decide(HEADER + HOT.format(n=1), *options)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_ranges_repeated_leads_and_a_moment_without_a_zone_are_told(decide) -> None:
    sizes = ["51-200 employees", "1.000", "40", "5000+"]
    lines = [COLD.format(n=n).replace(",12,", f",{size},") for n, size in enumerate(sizes)]
    again = COLD.format(n=0)
    by_mail = "," + COLD.format(n=2).partition(",")[2]
    told, _ = decide(
        HEADER + "".join(lines) + again + by_mail, "--json", "--key", "Record ID",
        at=("--at", "2026-11-24T10:00"),
    )  # fmt: skip
    summary = json.loads(told.stdout)
    assert summary["lower_ends_taken"] == {"Company size": 2}
    assert summary["unreadable_values"] == {"Company size": 1}
    assert (summary["repeated"], summary["repeats"]) == (1, [{"row": 6, "first_row": 2}])
    assert "1 row names a lead that an earlier row names (row 6 as row 2)" in told.stderr
    assert "names no zone: it is taken as 2026-11-24 10:00 UTC" in told.stderr
    plain, _ = decide(HEADER + by_mail + by_mail.replace("kim2@firm2", "KIM2@Firm2"))
    assert "Ranges" not in plain.stdout
    assert "names no zone" not in plain.stderr
    assert "(row 3 as row 2)" in plain.stderr  # without a key the mail names the lead


def test_a_moment_must_be_one(decide) -> None:
    result, _ = decide(HEADER + HOT.format(n=1), at=("--at", "yesterday"))
    assert result.exit_code == 2
    assert "--at 'yesterday' is no date or time" in result.stderr


def test_a_file_or_policy_that_is_not_there_ends_with_two(tmp_path: Path) -> None:
    runner = CliRunner()
    gone = runner.invoke(app, ["decide", str(tmp_path / "no.csv"), "--policy", str(POLICY)])
    assert (gone.exit_code, "there is no file" in gone.stderr) == (2, True)
    (tmp_path / "a.csv").write_text("E-mail\n")
    bare = runner.invoke(app, ["decide", str(tmp_path / "a.csv"), "--policy", str(tmp_path)])
    assert (bare.exit_code, "there is no policy" in bare.stderr) == (2, True)


def test_nothing_heavy_is_loaded_to_decide(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text(HEADER + HOT.format(n=1))
    heavy = (
        "sqlalchemy",
        "great_expectations",
        "pandas",
        "airflow",
        "hubspot",
        "simple_salesforce",
    )
    program = (
        "import sys\nfrom baton.cli import app\n"
        f"app(['decide', {str(tmp_path / 'leads.csv')!r}, '--policy', {str(POLICY)!r}],"
        " standalone_mode=False)\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"
