"""What the engine says when it cannot start, or refuses a request."""
