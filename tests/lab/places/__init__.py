"""Where, as whom and in which state of the host the tool runs."""
