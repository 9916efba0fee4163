"""Page variables that let the engine start, work and pull again.

- `engine_steps`  an engine that is down
- `data_root_steps`  one that was led away from its data
- `plugin_steps`  a plugin of volumes that is gone
- `registry_steps`  a registry that does not answer
- `registry_proxy`  the proxy by which the engine asks registries
"""
