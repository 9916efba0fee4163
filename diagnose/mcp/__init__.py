"""A server for other engineers' assistants: the Model Context Protocol over stdio, read-only.

`tools` says what each tool runs and bounds what leaves; `server` speaks the protocol by the
official SDK, which is an extra. Each call is a run of this program in a process of its own.
"""
