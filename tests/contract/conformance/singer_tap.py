"""Runs the contacts stream of tap-hubspot, unchanged but for its base address.

Arguments: the sandbox's address and token, and optionally a state to go on from. Prints the tap's own Singer messages.
"""

from __future__ import annotations

import json
import sys

import tap_hubspot

tap_hubspot.BASE_URL, token = sys.argv[1:3]
tap_hubspot.CONFIG.update(api_key=token, start_date="2000-01-01T00:00:00Z")

schema, details = tap_hubspot.load_discovered_schema(
    next(stream for stream in tap_hubspot.STREAMS if stream.tap_stream_id == "contacts")
)
for entry in details:
    entry["metadata"]["selected"] = True
catalog = {
    "streams": [
        {
            "stream": "contacts",
            "tap_stream_id": "contacts",
            "key_properties": ["id"],
            "schema": schema,
            "metadata": details,
        }
    ]
}
tap_hubspot.do_sync(json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}, catalog)
