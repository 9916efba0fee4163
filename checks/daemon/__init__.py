"""The engine itself: alive or not and why, its configuration, its doors, its age."""
