"""Page variables that let a container start that the engine or the kernel refuses to start.

- `start_steps`  what the engine's error asks for
- `entrypoint_steps`  another command, where the program is not there or not executable
- `device_steps`  which device it is given, or what makes one
- `runtime_limit_steps`  what gives the runtime more room
"""
