"""Images that pile up, that nobody can name, that do not fit, and that cannot be pulled."""
