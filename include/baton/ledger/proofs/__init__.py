"""Whether all is well: conservation, the comparison of the three systems, and other checks."""
