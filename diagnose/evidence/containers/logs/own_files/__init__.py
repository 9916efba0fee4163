"""Log files that programs and their keepers write themselves, beside the container's log."""
