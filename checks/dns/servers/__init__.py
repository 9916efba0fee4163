"""A server that gives containers no answer, or another one than it should, and what stops the
queries on their way."""
