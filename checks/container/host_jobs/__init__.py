"""A job or a unit of the host calls docker, and fails or stops a container."""
