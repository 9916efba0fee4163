"""Programs that containers start, and why they could not."""
