"""The decision on a lead: the pure result of its recorded inputs, and the package that travels."""

from __future__ import annotations

ENGINE_VERSION = "3"
"""Raised whenever the same inputs can lead to another decision than before."""
