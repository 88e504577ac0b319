"""Baton carries a lead from marketing to sales and brings the outcome back."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
