"""The certificate with which the Salesforce server answers, and the authority that gave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crm_sandbox.world import LOOPBACK

_ISSUED_FOR = "salesforce-server.names"


@dataclass(frozen=True, slots=True)
class Certificates:
    """The sandbox's own authority and the certificate it gave to the Salesforce server."""

    ca_file: Path
    server_file: Path


def issue_certificates(state_dir: Path, names: Sequence[str] = ()) -> Certificates:
    """Make the authority and the server's certificate, or reuse those of an earlier start.

    The certificate holds loopback's names and `names`. Names that it lacks make a new authority,
    whose key is never kept: clients then have to read `ca_file` again.
    """
    files = Certificates(state_dir / "ca.pem", state_dir / "salesforce-server.pem")
    wanted = list(dict.fromkeys((LOOPBACK, "localhost", *names)))
    issued_for = state_dir / _ISSUED_FOR
    if files.ca_file.exists() and files.server_file.exists():
        held = issued_for.read_text().split() if issued_for.exists() else wanted[:2]
        if set(wanted) <= set(held):
            return files
    import trustme  # slow to import, and only needed at the first start

    state_dir.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="CRM sandbox")
    issued = authority.issue_cert(*wanted)
    files.server_file.touch(mode=0o600)
    issued.private_key_and_cert_chain_pem.write_to_path(str(files.server_file))
    authority.cert_pem.write_to_path(str(files.ca_file))
    issued_for.write_text("\n".join(wanted) + "\n")
    return files
