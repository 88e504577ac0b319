# Python >= 3.11 and make are all that a fresh machine needs. `make help` explains.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
# One more than the usual two cores: tests wait for their servers half of the time.
JOBS ?= 3

export GX_ANALYTICS_ENABLED := false
# Images of Python often forbid it; then each of the hundred processes compiles Airflow anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install demo down test proof check bench lock format

help: ## show this help
	@echo "Baton carries a lead from marketing to sales and brings the outcome back."
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'
	@echo
	@echo "Variables of make:"
	@echo "  ONCE=1            with demo: stop everything at the end, fail if a lead is lost, doubled or late"
	@echo "  LEADS=file.csv    with demo: play this export instead of the simulated market"
	@echo "  MAPPING=map.yaml  with LEADS: how its columns become HubSpot properties (otherwise by its headers)"
	@echo "  ARGS='…'          with demo, test, bench and lock: further arguments of the command behind it"
	@echo "  JOBS=3            with test: how many tests run at once"
	@echo "  PYTHON=python3.12 with install: the interpreter to use (otherwise the first one >= 3.11 found)"
	@echo
	@echo "Environment:"
	@echo "  BATON_HOME             where the demo keeps its databases, logs and log-ins"
	@echo "                         (otherwise a folder per clone in your user data directory)"
	@echo "  BATON_DATABASE_URL     a PostgreSQL server for the ledger (otherwise one is embedded)"
	@echo "  BATON_MODE             live, observe (decide and record, write nothing outside) or history"
	@echo "  BATON_POLICY_DIR       the policy to read (otherwise include/policy)"
	@echo "  AIRFLOW_CONN_HUBSPOT_DEFAULT, AIRFLOW_CONN_SALESFORCE_DEFAULT, AIRFLOW_CONN_SLACK_DEFAULT"
	@echo "                         the systems to talk to, as Airflow connections"

install: ## create .venv from the hashed lock (again only when the lock changed)
	@scripts/install.sh

demo: install ## the whole relay on this machine: Postgres, CRM sandbox, Airflow, 90 days, live leads
	@$(BIN)/baton demo $(if $(ONCE),--once) $(if $(LEADS),--leads "$(LEADS)") $(if $(MAPPING),--mapping "$(MAPPING)") $(ARGS)

down: ## stop what demo left running
	@if [ -x $(BIN)/baton ]; then $(BIN)/baton down; else echo "Nothing is installed here, so nothing runs."; fi

test: install ## the whole test suite
ifdef ARGS
	$(BIN)/pytest $(ARGS)
else
	$(BIN)/pytest -n $(JOBS) --dist loadgroup --durations 15 -m "not airflow"
	$(BIN)/pytest --durations 5 -m "airflow and not long"
endif

proof: install ## more than a test run: a real Airflow whose parts are killed, properties with new examples
	$(BIN)/pytest --durations 5 -m "airflow and long"
	$(BIN)/pytest -n $(JOBS) --hypothesis-profile searching tests/property

check: install ## lint, types, import contract, dead dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/baton policy schema --check
	$(BIN)/deptry .
	$(BIN)/mypy include/baton include/crm_sandbox dags $(wildcard plugins/*.py)

bench: install ## the benchmarks, with their tables in docs/benchmarks.md, and the whole fault matrix
	@benchmarks/peers.sh
	$(BIN)/python benchmarks/run.py $(ARGS)
ifndef ARGS
	$(BIN)/python benchmarks/faults.py
endif

lock: ## resolve the dependencies again (needs uv)
	scripts/lock.sh $(ARGS)

format: install ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
