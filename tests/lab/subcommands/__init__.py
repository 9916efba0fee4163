"""What each command does on real engines."""
