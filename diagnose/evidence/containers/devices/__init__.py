"""Devices that containers were given, that their programs ask for, or that they have lost."""
