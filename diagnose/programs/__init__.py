"""What is known of programs in containers.

How their logs tell why they failed, and the world's commonest failures.

Everything here is pure: text goes in, values come out. Nothing here asks the host.
"""
