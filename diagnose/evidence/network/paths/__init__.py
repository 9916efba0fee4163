"""Paths of packets, traced through routes and rules.

Rooms:

- `published/`  the ways in to published ports, and the ways of their answers
- `outgoing/`  the ways out of containers: to the outside, to DNS servers, to other nodes
- `wanted/`  connections that containers want to open, to the host and to each other

The trace of a packet is in `walks` and `packet_paths`. The paths of bridges, of the host and inside
containers are beside them.
"""
