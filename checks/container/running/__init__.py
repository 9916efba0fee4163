"""It runs, and does not do its work.

In the room `sites/`: it answers its visitors, and does not give them what they asked for.
"""
