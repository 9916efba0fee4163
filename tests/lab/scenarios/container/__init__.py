"""Containers broken for real: killed, looping, refused by the kernel, unhealthy."""
