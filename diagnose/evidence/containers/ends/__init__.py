"""Ends of containers: their reason, who requested them, and the container that took the place."""
