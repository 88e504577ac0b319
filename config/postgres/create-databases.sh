#!/usr/bin/env bash
# Runs once, when the server's volume is empty: a database and a role each for Airflow and the ledger.
set -euo pipefail

psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
    --set airflow_password="$AIRFLOW_DB_PASSWORD" --set baton_password="$BATON_DB_PASSWORD" <<'SQL'
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE baton LOGIN PASSWORD :'baton_password';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE baton OWNER baton;
REVOKE CONNECT ON DATABASE airflow, baton FROM PUBLIC;
SQL
