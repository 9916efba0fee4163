"""What the row of a known failure offers: its remedy, held against the container."""
