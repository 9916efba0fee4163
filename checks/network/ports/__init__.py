"""Published ports, and the clients that call them.

Rooms:

- `udp/`  ports of UDP, which no connection shows to be served
- `sites/`  sites behind a proxy: the address, the path and the route that visitors take
"""
