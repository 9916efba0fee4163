"""What containers were configured with: variables, mounted files, options of their commands."""
