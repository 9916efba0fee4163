"""What is mounted into a container is missing, old, or not seen by its program."""
