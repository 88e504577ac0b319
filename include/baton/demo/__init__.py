"""The whole relay on one machine: where its state lives, its processes, its Airflow."""

from __future__ import annotations
