"""Images: their list, configuration, layers on disk, pulls and the build cache."""
