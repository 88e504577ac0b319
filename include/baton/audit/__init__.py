"""What is measured: definitions of the metrics, and the arithmetic on rows."""
