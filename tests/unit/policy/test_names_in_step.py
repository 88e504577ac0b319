"""What the policy may name of other packages, which it does not import, is what they have."""

from __future__ import annotations

import inspect
from pathlib import Path

from baton.audit.metrics import METRICS
from baton.leads import enrichment
from baton.leads.relations import CrmRelations, relation_facts
from baton.pipeline.delivery import hubspot_effects, setup
from baton.policy.crm_models import WRITTEN_BACK
from baton.policy.fields import COMPANY_FACTS, DERIVED_FACTS, OUTCOME_FACTS
from baton.policy.messages import SECTION_FILES
from baton.policy.metric_names import METRIC_NAMES
from baton.policy.models import Policy
from baton.policy.yaml_source import read_yaml


def test_commitments_name_metrics_of_the_audit() -> None:
    assert set(METRICS) == METRIC_NAMES


def test_what_is_written_back_is_what_the_effect_writes_and_the_setup_creates() -> None:
    assert set(setup._KINDS) == set(WRITTEN_BACK)
    source = inspect.getsource(hubspot_effects._properties)
    assert all(f'"{what}":' in source for what in WRITTEN_BACK)


def test_the_derived_facts_are_those_that_are_worked_out(policy: Policy) -> None:
    derived = {label for label, field in policy.fields.items() if field.derived}
    assert derived <= DERIVED_FACTS
    assert set(relation_facts(CrmRelations())) <= DERIVED_FACTS
    source = inspect.getsource(enrichment)
    elsewhere = OUTCOME_FACTS | set(relation_facts(CrmRelations())) | {"Meeting booked"}
    assert [
        label for label in sorted(DERIVED_FACTS - elsewhere) if f'"{label}"' not in source
    ] == []
    assert COMPANY_FACTS | OUTCOME_FACTS <= DERIVED_FACTS


def test_a_missing_section_is_expected_where_the_shipped_policy_has_it(shipped: Path) -> None:
    needed = {
        info.alias or name for name, info in Policy.model_fields.items() if info.is_required()
    }
    assert set(SECTION_FILES) == needed
    for section, file in SECTION_FILES.items():
        text = (shipped / file).read_text(encoding="utf-8")
        assert section in (read_yaml(file, text).value or {})
