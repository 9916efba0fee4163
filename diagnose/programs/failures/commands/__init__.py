"""What a command prints that fails: docker, compose, builds, pulls, and visits of a server."""
