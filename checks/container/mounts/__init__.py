"""What is mounted into it is missing, forbidden, old or in use."""
