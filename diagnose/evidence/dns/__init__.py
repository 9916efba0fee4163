"""DNS as it is configured, as it answers, and as a firewall drops it: servers and queries.

In the room `names/`: names that containers call, and that are unknown, shared or moved.
"""
