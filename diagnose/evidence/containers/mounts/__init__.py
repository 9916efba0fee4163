"""What containers mount, and what they may do with it."""
