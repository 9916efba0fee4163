"""An option or a device is missing or in the way, or the kernel refuses what a program needs."""
