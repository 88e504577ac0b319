"""What wants a person this morning: the lines, the digest, how the connections and the data are."""
