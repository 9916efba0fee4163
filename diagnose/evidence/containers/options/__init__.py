"""Options of `docker run` that a container lacks, and those that are in its way."""
