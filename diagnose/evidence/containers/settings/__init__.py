"""Settings of containers: variables, mounted files, options of their commands.

In the room `named/`: the setting to which a line of a log leads.
"""
