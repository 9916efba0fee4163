"""Lines of real logs for the rows of `diagnose/programs/failures/host/options.py`."""

from __future__ import annotations

LINES = {
    "privileged": "mount: permission denied (are you root?)",
    "elasticsearch-discovery": "the default discovery settings are unsuitable for production use; at least one",
    "node-openssl": "Error: error:0308010C:digital envelope routines::unsupported",
    "protobuf-generated": "TypeError: Descriptors cannot not be created directly.",
    "celery-root": (
        "Running a worker with superuser privileges when the worker accepts messages serialized with "
        "pickle is a very bad idea!"
    ),
    "numba-cache": (
        "RuntimeError: cannot cache function '__shear_dense': no locator available for file "
        "'/usr/lib/python3/dist-packages/librosa/util/utils.py'"
    ),
    "valid-mark-read-only": (
        'sysctl: setting key "net.ipv4.conf.all.src_valid_mark": Read-only file system'
    ),
    "kernel-setting-advised": (
        "[ERROR   ] If using docker/podman add --sysctl net.ipv4.conf.all.rp_filter=2 flag to your run "
        "command"
    ),
    "capability-advised": "ptrace: Operation not permitted, run the container with --cap-add=SYS_PTRACE",
    "forwarding-read-only": "sysctl: error setting key 'net.ipv4.ip_forward': Read-only file system",
    "ipv6-read-only": "sh: can't create /proc/sys/net/ipv6/conf/all/disable_ipv6: Read-only file system",
    "temporary-folder": (
        "IOError: [Errno 2] No usable temporary directory found in ['/tmp', '/var/tmp', '/usr/tmp', "
        "'/opt/datadog-agent']"
    ),
    "s6-not-first": "s6-overlay-suexec: fatal: can only run as pid 1",
    "iptables-capability": "iptables v1.8.7: can't initialize iptables table `nat': Permission denied (you must be root)",
    "interface-capability": "ip: ioctl 0x8922 failed: Operation not permitted",
    "tun-device": "ERROR: Cannot open TUN/TAP dev /dev/net/tun: No such file or directory",
    "no-new-privileges": (
        "sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the 'nosuid' option "
        "set or an NFS file system without root privileges?"
    ),
    "noexec-tmpfs": (
        "java.lang.UnsatisfiedLinkError: /tmp/libnetty_transport_native_epoll_x86_64.so: "
        "/tmp/libnetty_transport_native_epoll_x86_64.so: failed to map segment from shared object: "
        "Operation not permitted"
    ),
    "file-size-limit": "File size limit exceeded (core dumped)",
    "vault-mlock": "Error initializing core: Failed to lock memory: cannot allocate memory",
    "descriptors-short": (
        "1:M 28 Nov 2026 23:59:00.586 # Your current 'ulimit -n' of 12 is not enough for the server to "
        "start. Please increase your open file limit to at least 10032. Exiting."
    ),
    "descriptors-low": "max file descriptors [4096] for elasticsearch process is too low, increase to at least [65535]",
    "memory-lock-low": "memory locking requested for elasticsearch process but memory is not locked",
    "memory-lock-refused": "entrypoint: line 13: ulimit: max locked memory: cannot modify limit: Operation not permitted",
    "open-files-refused": "/run.sh: line 4: ulimit: open files: cannot modify limit: Operation not permitted",
    "processes-refused": "/run.sh: line 5: ulimit: max user processes: cannot modify limit: Operation not permitted",
    "user-switch": 'error: failed switching to "postgres": operation not permitted',
    "read-only-root": 'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)',
    "chown-here-refused": "chown: changing ownership of '.': Operation not permitted",
    "chown-refused": "chown: changing ownership of '/var/lib/postgresql/data': Operation not permitted",
    "home-missing": "npm error EACCES: permission denied, mkdir '/.npm'",
    "root-needs-option": "[C 04:18:48.513 NotebookApp] Running as root is not recommended. Use --allow-root to bypass.",
    "chrome-as-root": "[1:1:0101/000000.000000:ERROR:zygote_host_impl_linux.cc(90)] Running as root without --no-sandbox is not supported. See https://crbug.com/638180.",
    "deno-permission": 'error: Uncaught (in promise) NotCapable: Requires net access to "0.0.0.0:8000", run again with the --allow-net flag',
    "mongo-keyfile-needed": "BadValue: security.keyFile is required when authorization is enabled with replica sets",
    "s6-services-invalid": "s6-rc-compile: fatal: invalid /etc/s6-overlay/s6-rc.d/ci-service-check/type: must be oneshot, longrun, or bundle",
}
