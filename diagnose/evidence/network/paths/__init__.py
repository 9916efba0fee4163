"""The ways of packets, walked through routes and rules."""
