"""Traffic that rules drop, of containers, networks and the host itself."""
