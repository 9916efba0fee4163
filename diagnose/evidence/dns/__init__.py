"""DNS as it is configured, as it answers, and as a firewall drops it."""
