"""What people meet every day: a deployment that gave up, a name that changed, a device, a list or
an engine that takes no more."""
