"""Images: pulls that fail, images that do not fit, and what piles up."""
