"""The gateways to the two CRM systems: the only modules that know their client libraries."""
