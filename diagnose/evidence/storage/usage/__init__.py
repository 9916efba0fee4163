"""Contents of a full disk, its fill rate, and the parts that can be removed."""
