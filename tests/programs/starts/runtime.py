"""Texts of refused starts for the rows of `diagnose/programs/failures/starts/runtime.py`."""

from __future__ import annotations

STARTS: dict[str, tuple[str, dict[str, str]]] = {
    "own-shim-missing": (
        'failed to start shim: runtime "io.containerd.runc.v2" binary not installed "containerd-shim-runc-v2": file does not exist',
        {"lost_program": "containerd-shim-runc-v2"},
    ),
    "shim-not-installed": (
        'failed to start shim: runtime "io.containerd.runsc.v1" binary not installed "containerd-shim-runsc-v1": file does not exist',
        {"without": "runtime"},
    ),
    "shim-version": ("unsupported shim version (3): not implemented", {"after_restart": "app"}),
    "runc-needs-newer-library": (
        "failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error (open /run/containerd/io.containerd.runtime.v2.task/moby/1/log.json: no such file or directory): runc did not terminate successfully: exit status 127: runc: symbol lookup error: runc: undefined symbol: seccomp_notify_respond: unknown",
        {"package": "libseccomp2"},
    ),
    "runc-library": (
        "failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error (open /run/x/log.json: no such file or directory): runc did not terminate successfully: exit status 127: runc: error while loading shared libraries: libseccomp.so.2: cannot open shared object file: No such file or directory: unknown",
        {"runtime": "runc"},
    ),
    "runtime-not-executable": (
        "failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error (open /run/x/log.json: no such file or directory): fork/exec /usr/bin/runc: permission denied: unknown",
        {"not_executable": "/usr/bin/runc"},
    ),
    "runc-broken": (
        "failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error (open /run/x/log.json: no such file or directory): runc did not terminate successfully: exit status 127: unknown",
        {"runtime": "runc"},
    ),
    "shim-gone": (
        'failed to dial "/run/containerd/s/6e2f": dial unix /run/containerd/s/6e2f: connect: connection refused: unavailable',
        {"after_restart": "app"},
    ),
    "runtime-cut-off": (
        "failed to create task for container: transport is closing: unavailable",
        {"retry": "app"},
    ),
    "runtime-late": (
        "failed to create task for container: context deadline exceeded",
        {"retry": "app"},
    ),
    "temporary-folder": (
        "failed to create runc console socket: stat /tmp: no such file or directory: unknown",
        {"temporary": "/tmp"},
    ),
    "run-is-full": (
        "mkdir /run/containerd/io.containerd.runtime.v2.task/moby/71b2: no space left on device: unknown",
        {"full": "/run"},
    ),
    "state-left-behind": (
        "OCI runtime create failed: container with given ID already exists",
        {"left_state": "app"},
    ),
    "runtime-not-itself": (
        "fork/exec /proc/self/exe: no such file or directory: unknown",
        {"kernel_says": "DENIED"},
    ),
    "gpu-unknown": (
        "error running prestart hook #0: exit status 1, stdout: , stderr: nvidia-container-cli: device error: unknown device id: 3: unknown",
        {},
    ),
    "gpu-files-in-image": (
        "error running prestart hook #0: exit status 1, stdout: , stderr: nvidia-container-cli: mount error: file creation failed: /var/lib/docker/overlay2/2f8a/merged/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1: file exists: unknown",
        {},
    ),
    "gpu-ldconfig": (
        "error running createContainer hook #0: exit status 1, stdout: , stderr: nvidia-container-cli: ldcache error: process /sbin/ldconfig failed with error code: 1",
        {},
    ),
    "hook-failed": (
        "error running prestart hook #0: exit status 1, stdout: , stderr: oci-systemd-hook: no such cgroup",
        {"without": "runtime"},
    ),
    "awslogs-denied": (
        "failed to initialize logging driver: failed to create Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, https response error StatusCode: 400, AccessDeniedException: User: arn:aws:sts::1:x is not authorized to perform: logs:CreateLogStream",
        {},
    ),
    "awslogs-group": (
        "failed to initialize logging driver: failed to create Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, ResourceNotFoundException: The specified log group does not exist.",
        {"added": "--log-opt=awslogs-create-group=true"},
    ),
    "awslogs-credentials": (
        "failed to initialize logging driver: failed to create Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found",
        {},
    ),
    "awslogs-region": (
        "failed to initialize logging driver: cannot determine region for awslogs driver: operation error ec2imds: GetRegion",
        {},
    ),
    "splunk-token": (
        'failed to initialize logging driver: splunk: failed to verify connection - 403 Forbidden - {"text":"Invalid token","code":4}',
        {},
    ),
    "gcplogs-denied": (
        "failed to initialize logging driver: unable to connect or authenticate with Google Cloud Logging: rpc error: code = PermissionDenied",
        {},
    ),
    "log-file-read-only": (
        "failed to initialize logging driver: open /var/lib/docker/containers/1/1-json.log: read-only file system",
        {"retry": "app"},
    ),
    "log-folder-gone": (
        "failed to initialize logging driver: open /var/lib/docker/containers/1/1-json.log: no such file or directory",
        {"device": "/var/lib/docker/containers/1"},
    ),
    "log-file-denied": (
        "failed to initialize logging driver: open /var/lib/docker/containers/1/1-json.log: permission denied",
        {"unwritable": "/var/lib/docker/containers/1/1-json.log"},
    ),
    "shim-socket-taken": (
        "failed to start shim: start failed: io.containerd.runc.v2: create new shim socket: listen unix /run/containerd/s/ab12: bind: address already in use: exit status 1: unknown",
        {},
    ),
}
