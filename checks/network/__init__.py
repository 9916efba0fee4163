"""Networks, published ports, and what lies between a container and its peers."""
