"""Deciding on files, apart from any CRM: reading an export, and what comes out."""
