"""What is recorded of a user's file: the parts that a check needs, and nothing else. Pure.

`chosen` knows the kinds of parts; the other modules read the format that their names say.
"""
