"""Settings of containers: labels, commands, and mounted files of settings.

In the room `named/`: the setting to which a line of a log leads.
"""
