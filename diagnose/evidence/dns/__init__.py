"""DNS: configured servers, their replies, and firewall rules that drop queries.

In the room `names/`: names that containers call, and that are unknown, shared or moved.
"""
