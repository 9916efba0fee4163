"""A container's user may not open or write what is mounted into it, or its own files."""
