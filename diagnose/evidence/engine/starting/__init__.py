"""What keeps an engine from starting, and how one has ended."""
