"""Scripts that make a container, a network or a service again as it is, with a change.

`options` reads from an inspect the options that it was made with, `container`, `network` and
`service` write the script, `compose_keys` says what the change is called in a compose file.
"""
