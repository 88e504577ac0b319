"""One module per step that a Dag or a command runs: joins pure decisions with the outside."""
