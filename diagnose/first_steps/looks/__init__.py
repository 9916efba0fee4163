"""Looks at files, servers and images that decide between causes, where no command heals."""
