"""Containers that do not start, do not stay, or do not work: one module per topic.

Where an id is, if its module is not named like it:

- anonymous_volume: data-outside-mount
- api_version: client-api-too-new
- data_in_use: data-locked, data-version-mismatch
- entrypoint: entrypoint-missing, entrypoint-forbidden
- early_kill: killed-for-host-memory
- first_process: first-process-stopped
- heap: heap-above-limit
- host_event: lost-with-host
- kernel_setting: kernel-setting-low
- left_data: data-left-behind
- loopback: loopback-peer
- mount_access: mount-unwritable
- mounts: mount-source-missing, mount-forbidden
- option: option-missing
- option_in_the_way: option-in-the-way
- own_files: own-files-refused
- pid_file: pid-file-stale
- processor: cpu-unsupported
- program_format: exec-format, interpreter-missing
- record: record-damaged
- recreated: recreate-interrupted, older-than-its-tag
- start_resources: device-missing, network-gone, runtime-limit-hit
- state: dead, shim-lost, paused, zombies
- stop_and_restart: ignores-stop-signal, no-restart-policy
- system_call: syscall-refused
- variable: variable-missing
"""
