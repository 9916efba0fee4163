"""What fills a disk, how fast, and what of it may go."""
