"""Packets and connections that the kernel drops or forgets."""
