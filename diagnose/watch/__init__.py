"""Following a host: roots as they begin and end.

`roots` compares one report with what was known before; pure. `rounds` judges the host again in a
process of its own. `watcher` sleeps until `live.wake` says that something changed, and judges again
only the families that the change concerns.
"""
