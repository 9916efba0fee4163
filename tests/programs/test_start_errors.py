"""What the engine says of a start that it refused: one real text for each row of the table."""

from __future__ import annotations

import pytest

from diagnose import runbooks
from diagnose.programs.failures import START_ERRORS, recognise

KNOWN = {
    "container": "app",
    "larger_memory": "67108864",
    "only_network": "shop",
    "volume": "data",
}
"""What a check knows beside the text."""

STARTS: dict[str, tuple[str, dict[str, str]]] = {
    "layer-moved": (
        "error creating overlay mount to /var/lib/docker/overlay2/2f8a9c/merged: stale file handle",
        {"layerless": "app"},
    ),
    "layer-damaged": (
        "error creating overlay mount to /var/lib/docker/overlay2/2f8a9c/merged: structure needs cleaning",
        {"kernel_says": "overlay"},
    ),
    "layer-mounted": (
        "error creating overlay mount to /var/lib/docker/overlay2/2f8a9c/merged: device or resource busy",
        {"layer": "/var/lib/docker/overlay2/2f8a9c"},
    ),
    "layer-gone": (
        "error creating overlay mount to /var/lib/docker/overlay2/2f8a9c/merged: no such file or directory",
        {"layerless": "app"},
    ),
    "layer-refused": (
        "error creating overlay mount to /var/lib/docker/overlay2/2f8a9c/merged: too many levels of symbolic links",
        {"kernel_says": "overlay"},
    ),
    "layer-lost": ("RWLayer of container 71b2 is unexpectedly nil", {"layerless": "app"}),
    "snapshot-gone": (
        "failed to mount rootfs component: snapshot 71b2 does not exist: not found",
        {"layerless": "app"},
    ),
    "nfs-refused": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: addr=10.0.0.9,rw: connection refused",
        {"nfs_server": "10.0.0.9", "nfs_port": "10.0.0.9:2049"},
    ),
    "nfs-denied": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: addr=10.0.0.9,rw: permission denied",
        {"nfs_server": "10.0.0.9", "nfs_port": "10.0.0.9:2049"},
    ),
    "nfs-missing": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: addr=10.0.0.9,rw: no such file or directory",
        {"nfs_server": "10.0.0.9", "nfs_port": "10.0.0.9:2049"},
    ),
    "nfs-silent": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: addr=10.0.0.9,rw: connection timed out",
        {"nfs_server": "10.0.0.9", "nfs_port": "10.0.0.9:2049"},
    ),
    "nfs-version": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: addr=10.0.0.9,vers=2: protocol not supported",
        {"nfs_server": "10.0.0.9", "nfs_port": "10.0.0.9:2049"},
    ),
    "nfs-without-server": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: rw,soft: invalid argument",
        {"volume": "data"},
    ),
    "volume-name-unknown": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': error resolving passed in network volume address: lookup nas.lan on 192.0.2.53:53: no such host",
        {"volume_server": "nas.lan"},
    ),
    "smb-denied": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount //nas.lan/share:/var/lib/docker/volumes/data/_data, data: username=app,password=********: permission denied",
        {"smb_port": "nas.lan:445"},
    ),
    "smb-version": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount //nas.lan/share:/var/lib/docker/volumes/data/_data, data: username=app: host is down",
        {"smb_port": "nas.lan:445"},
    ),
    "smb-missing": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount //nas.lan/share:/var/lib/docker/volumes/data/_data, data: username=app: no such file or directory",
        {"smb_port": "nas.lan:445"},
    ),
    "disk-in-use": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount /dev/sdb1:/var/lib/docker/volumes/data/_data: device or resource busy",
        {"disk": "/dev/sdb1"},
    ),
    "disk-of-another-type": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount /dev/sdb1:/var/lib/docker/volumes/data/_data: wrong fs type, bad option, bad superblock",
        {"disk": "/dev/sdb1"},
    ),
    "disk-damaged": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount /dev/sdb1:/var/lib/docker/volumes/data/_data: structure needs cleaning",
        {"damaged": "/dev/sdb1"},
    ),
    "volume-without-device": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': missing device in volume options",
        {"volume": "data"},
    ),
    "volume-plugin-failed": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': VolumeDriver.Mount: error mounting data: exit status 32, output: mount.nfs: access denied by server while mounting 10.0.0.9:/export/data",
        {"volume": "data"},
    ),
    "cgroup-mount": ("cgroups: cgroup mountpoint does not exist: unknown", {}),
    "cgroup-controller": (
        "OCI runtime create failed: runc create failed: mountpoint for devices not found",
        {"controller": "devices"},
    ),
    "selinux-keys": (
        "error during container init: write /proc/self/attr/keycreate: invalid argument",
        {},
    ),
    "systemd-bus": (
        'unable to apply cgroup configuration: unable to start unit "docker-dbca.scope" (properties [{Name:Slice Value:"system.slice"}]): The name org.freedesktop.systemd1 was not provided by any .service files',
        {},
    ),
    "device-rules": (
        "error setting cgroup config for procHooks process: bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted",
        {},
    ),
    "rlimit-too-high": (
        "error setting rlimits for ready process: error setting rlimit type 7: operation not permitted",
        {},
    ),
    "key-quota": (
        "unable to join session keyring: unable to create session key: disk quota exceeded",
        {},
    ),
    "source-read-only": (
        "error while creating mount source path '/mnt/nas/films': mkdir /mnt/nas: read-only file system",
        {},
    ),
    "source-link": (
        "error while creating mount source path '/srv/data': mkdir /srv/data: file exists",
        {"link": "/srv/data"},
    ),
    "source-denied": (
        "error while creating mount source path '/mnt/nfs/data': mkdir /mnt/nfs/data: permission denied",
        {},
    ),
    "source-fuse": ("stat /mnt/s3: transport endpoint is not connected", {"dead_mount": "/mnt/s3"}),
    "source-stale": (
        "error while creating mount source path: stat /mnt/nfs: stale NFS file handle",
        {"dead_mount": "/mnt/nfs"},
    ),
    "nvidia-mismatch": (
        "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch",
        {},
    ),
    "nvidia-cuda": (
        "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.6, please update your driver",
        {},
    ),
    "nvidia-driver": (
        "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file",
        {},
    ),
    "log-plugin-off": (
        "logger: no log driver named 'loki' is registered: plugin loki found but disabled",
        {"plugin": "loki"},
    ),
    "log-plugin-loki": (
        "logger: no log driver named 'loki:latest' is registered: error looking up logging plugin loki:latest",
        {"loki": "loki", "log_driver": "json-file"},
    ),
    "log-plugin": (
        "logger: no log driver named 'newrelic' is registered: error looking up logging plugin newrelic",
        {"log_driver": "json-file"},
    ),
    "shim-newer": (
        "failed to start shim: start failed: unsupported shim version (3): not implemented",
        {"old_containerd": "containerd"},
    ),
    "gpu-no-toolkit": (
        'could not select device driver "" with capabilities: [[gpu]]',
        {},
    ),
    "volume-plugin": (
        'error while mounting volume: plugin "rexray" not found',
        {"plugin": "rexray"},
    ),
    "volume-plugin-gone": (
        'error while mounting volume: get claims: error while checking if volume "claims" exists in driver "vault": Post "http://plugin.moby.localhost/VolumeDriver.Get": dial unix /run/docker/plugins/vault.sock: connect: connection refused',
        {},
    ),
    "proc-mount": (
        'error mounting "proc" to rootfs at "/proc": mount src=proc, dst=/proc, flags=MS_NOSUID: operation not permitted',
        {},
    ),
    "sysctl-of-the-host": (
        'sysctl "vm.max_map_count" is not in a separate kernel namespace',
        {"without": "sysctl"},
    ),
    "apparmor-parser": (
        "AppArmor enabled on system but the docker-default profile could not be loaded: running apparmor_parser failed",
        {"package": "apparmor"},
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
        {"after_restart": "app"},
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
    "folder-missing": (
        'chdir to cwd ("/srv/work") set in config.json failed: no such file or directory',
        {"added": "--workdir=/"},
    ),
    "folder-denied": (
        'chdir to cwd ("/root/app") set in config.json failed: permission denied',
        {"added": "--workdir=/"},
    ),
    "folder-is-file": ("Cannot mkdir: /etc/passwd is not a directory", {"added": "--workdir=/"}),
    "volume-over-file": (
        "cannot mount volume over existing file, file exists /var/lib/docker/overlay2/2f8a/merged/etc/app.conf",
        {},
    ),
    "mountpoint-missing": (
        'error mounting "/srv/app/app.conf" to rootfs at "/etc/app.conf": create mountpoint for /etc/app.conf mount: make mountpoint "/etc/app.conf": openat /etc/app.conf: read-only file system',
        {"mountpoint_of": "/etc/app.conf"},
    ),
    "filesystem-unknown": (
        'error mounting "mqueue" to rootfs at "/dev/mqueue": mount mqueue:/dev/mqueue (via /proc/self/fd/9), flags: 0xe: no such device',
        {"kernel_has": "/proc/filesystems"},
    ),
    "cgroup-named": (
        'error mounting "cgroup" to rootfs at "/sys/fs/cgroup": mount cgroup:/sys/fs/cgroup/systemd (via /proc/self/fd/7), flags: 0xf, data: name=systemd: operation not permitted',
        {"hierarchy": "systemd"},
    ),
    "sysfs-denied": (
        'error mounting "sysfs" to rootfs at "/sys": mount sysfs:/sys (via /proc/self/fd/7), flags: 0xf: operation not permitted',
        {"added": "--userns=host"},
    ),
    "not-shared": (
        "path /srv/app is mounted on / but it is not a shared mount",
        {"propagated": "/"},
    ),
    "source-below-file": (
        "error while creating mount source path '/srv/app/app.conf/sub': mkdir /srv/app/app.conf: not a directory",
        {"in_the_way": "/srv/app/app.conf"},
    ),
    "source-no-room": (
        "error while creating mount source path '/srv/app/data': mkdir /srv/app/data: no space left on device",
        {"full": "/"},
    ),
    "source-missing": (
        'invalid mount config for type "bind": bind source path does not exist: /srv/app/nosuch',
        {"device": "/srv/app/nosuch"},
    ),
    "tmpfs-options": (
        'error mounting "tmpfs" to rootfs at "/cache": mount tmpfs:/cache (via /proc/self/fd/7), flags: 0xe, data: size=1x: invalid argument',
        {"tmpfs": "/cache"},
    ),
    "recursive-read-only": ('rro is not supported by runtime "runc"', {}),
    "setting-unknown": (
        "open /proc/sys/net/ipv6/conf/all/disable_ipv6: no such file or directory",
        {"without": "sysctl"},
    ),
    "setting-refused": (
        "write sysctl key net.ipv4.ip_local_port_range: write /proc/sys/net/ipv4/ip_local_port_range: invalid argument",
        {"without": "sysctl"},
    ),
    "setting-read-only": (
        "open /proc/sys/net/core/somaxconn: read-only file system",
        {"without": "sysctl"},
    ),
    "host-name": ("sethostname: invalid argument", {"without": "hostname"}),
    "endpoint-left-behind": (
        "failed to set up container networking: endpoint with name app already exists in network shop",
        {"stale_network": "shop", "stale_endpoint": "app"},
    ),
    "address-outside": (
        "failed to set up container networking: invalid address 10.9.9.9: It does not belong to any of this network's subnets",
        {"network": "shop"},
    ),
    "address-without-subnet": (
        "no configured subnet contains IP address 10.9.9.9",
        {"network": "shop"},
    ),
    "address-not-configured": (
        "user specified IP address is supported only when connecting to networks with user configured subnets",
        {"network": "shop"},
    ),
    "address-no-address": (
        "invalid endpoint settings:\ninvalid IPv4 address: 10.300.1.1",
        {"network": "shop"},
    ),
    "bridge-full": (
        "failed to set up container networking: failed to create endpoint app on network shop: adding interface veth12 to bridge br-77 failed: exchange full",
        {"bridge": "br-77"},
    ),
    "bridge-deleted": (
        "failed to set up container networking: failed to create endpoint app on network shop: adding interface veth12 to bridge br-77 failed: could not find bridge br-77: route ip+net: no such network interface",
        {"after_restart": "app"},
    ),
    "veth-unknown": (
        "failed to set up container networking: failed to create endpoint app on network shop: failed to add the host (veth12) <=> sandbox (veth34) pair interfaces: operation not supported",
        {"module": "veth"},
    ),
    "raw-table-missing": (
        (
            "failed to set up container networking: driver failed programming external connectivity on "
            "endpoint web: Unable to enable DIRECT ACCESS FILTERING - DROP rule:  (iptables failed: "
            "iptables --wait -t raw -A PREROUTING -d 172.17.0.2 ! -i docker0 -j DROP: iptables v1.8.7 "
            "(legacy): can't initialize iptables table `raw': Table does not exist (do you need to "
            "insmod?) Perhaps iptables or your kernel needs to be upgraded. (exit status 3))"
        ),
        {"module": "iptable_raw", "rawless": "app"},
    ),
    "iptables-table-missing": (
        (
            "driver failed programming external connectivity on endpoint web: (iptables failed: iptables "
            "--wait -t nat -A DOCKER: iptables v1.8.7 (legacy): can't initialize iptables table `nat': "
            "Table does not exist (do you need to insmod?)"
        ),
        {"module": "iptable_nat"},
    ),
    "routes-conflict": (
        "failed to set up container networking: cannot program address 10.77.5.2/24 in sandbox interface because it conflicts with existing route {Ifindex: 2 Dst: 10.77.5.0/24 Src: <nil> Gw: <nil>}",
        {"network": "shop"},
    ),
    "gateway-outside": (
        "failed to set up container networking: failed to set gateway while updating gateway: route for the gateway 10.77.9.1 could not be found: network is unreachable",
        {"looked_at": "shop"},
    ),
    "parent-in-use": (
        "failed to set up container networking: failed to create the macvlan port: device or resource busy",
        {"looked_at": "shop"},
    ),
    "parent-missing": (
        "failed to set up container networking: failed to create endpoint app on network shop: failed to create the macvlan port: no such device",
        {"looked_at": "shop"},
    ),
    "vxlan-left-behind": (
        'failed to set up container networking: subnet sandbox join failed for "10.0.1.0/24": error creating vxlan interface: file exists',
        {"vxlan": "vxlan"},
    ),
    "swarm-attachment": (
        "Could not attach to network shop: rpc error: code = DeadlineExceeded desc = context deadline exceeded",
        {"looked_at": "shop"},
    ),
    "port-forbidden": (
        "failed to set up container networking: driver failed programming external connectivity on endpoint app (4a5b): Error starting userland proxy: listen tcp4 0.0.0.0:9090: bind: permission denied",
        {"kernel_setting": "net.ipv4.ip_unprivileged_port_start=9090"},
    ),
    "linked-elsewhere": ("Cannot link to /db, as it does not belong to the default network", {}),
    "peer-restarting": (
        "cannot join network namespace of container: Container web2 is restarting, wait until the container is running",
        {"restarting": "web2"},
    ),
    "ipc-private": (
        "container 71b2: non-shareable IPC (hint: use IpcMode:shareable for the donor container)",
        {"donor": "71b2"},
    ),
    "memory-too-small": (
        "container init was OOM-killed (memory limit too low?): unknown",
        {"memory": "67108864"},
    ),
    "init-killed": ("waiting for init preliminary setup: EOF", {"memory": "67108864"}),
    "memory-in-use": (
        'error setting cgroup config for procHooks process: failed to write "6291456": write /sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes: device or resource busy',
        {"memory": "67108864"},
    ),
    "throttled-device-gone": (
        "stat /dev/shopdisk: no such file or directory",
        {"throttled": "app"},
    ),
    "cpu-of-parent": (
        'error setting cgroup config for procHooks process: failed to write "400000": write /sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us: invalid argument',
        {"limiting": "cpus"},
    ),
    "real-time": (
        'error setting cgroup config for procHooks process: failed to write "950000": write /sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.rt_runtime_us: invalid argument',
        {},
    ),
    "cgroup-threaded": (
        'unable to apply cgroup configuration: cannot enter cgroupv2 "/sys/fs/cgroup/docker" with domain controllers -- it is in threaded mode',
        {},
    ),
    "cgroups-used-up": (
        "unable to apply cgroup configuration: mkdir /sys/fs/cgroup/memory/docker/1: cannot allocate memory",
        {"cgroups": "/proc/cgroups"},
    ),
    "cgroups-read-only": (
        "unable to apply cgroup configuration: mkdir /sys/fs/cgroup/docker: read-only file system",
        {"remount": "/sys/fs/cgroup"},
    ),
    "cpuset-empty": (
        "unable to apply cgroup configuration: failed to write 4711: write /sys/fs/cgroup/cpuset/docker/1/cgroup.procs: no space left on device",
        {
            "cpuset_cpus": "/sys/fs/cgroup/cpuset/docker/cpuset.cpus",
            "cpuset_mems": "/sys/fs/cgroup/cpuset/docker/cpuset.mems",
        },
    ),
    "unit-left-behind": (
        'unable to apply cgroup configuration: unable to start unit "docker-1.scope" (properties [{Name:Description}]): Unit docker-1.scope was already loaded or has a fragment file',
        {"scope": "docker-1.scope"},
    ),
    "swap-not-counted": (
        "error setting cgroup config for procHooks process: openat2 /sys/fs/cgroup/system.slice/docker-1.scope/memory.swap.max: no such file or directory",
        {"limiting": "memory-swap"},
    ),
    "memory-controller-off": (
        "error setting cgroup config for procHooks process: openat2 /sys/fs/cgroup/docker/1/memory.max: no such file or directory",
        {"limiting": "memory"},
    ),
    "controller-off": (
        "error setting cgroup config for procHooks process: openat2 /sys/fs/cgroup/docker/1/hugetlb.2MB.max: no such file or directory",
        {},
    ),
    "cgroup-drivers-differ": (
        'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/docker/1" instead',
        {},
    ),
    "parent-no-slice": (
        'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"',
        {"without": "cgroup-parent"},
    ),
    "capabilities": (
        "unable to apply caps: can't apply capabilities: operation not permitted",
        {"limiting": "cap-add"},
    ),
    "capability-unknown": ('invalid capability: "CAP_FOO"', {"without": "cap-add"}),
    "device-rule-denied": (
        'error setting cgroup config for procHooks process: failed to write "c 10:200 rwm": write /sys/fs/cgroup/devices/docker/1/devices.allow: operation not permitted',
        {"rule": "c 10:200 rwm"},
    ),
    "device-rules-denied": (
        "failed to write to devices.deny: write /sys/fs/cgroup/devices/docker/1/devices.deny: operation not permitted",
        {"limiting": "device"},
    ),
    "namespaces-used-up": (
        "can't get final child's PID from pipe: EOF: nsexec-1[2342]: failed to unshare remaining namespaces: No space left on device",
        {"namespaces": "1000000"},
    ),
    "namespaces-denied": (
        "runc create failed: nsexec-1[2342]: failed to unshare user namespace: Operation not permitted",
        {"user_namespaces": "user.max_user_namespaces=28633"},
    ),
    "namespaces-not-made": (
        "can't get final child's PID from pipe: EOF",
        {"kernel_limits": "/proc/sys/user"},
    ),
    "user-unmapped": (
        "unable to setup user: cannot setuid to unmapped uid 2000000 in user namespace",
        {"userless": "app"},
    ),
    "oom-score": (
        "can't apply oom score: write /proc/self/oom_score_adj: permission denied",
        {"without": "oom-score-adj"},
    ),
    "privileged-remapped": (
        "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode",
        {"added": "--userns=host"},
    ),
    "seccomp": (
        "unable to init seccomp: error loading seccomp filter into kernel: error loading seccomp filter: errno 524",
        {"added": "--security-opt=seccomp=unconfined"},
    ),
    "seccomp-file": (
        "opening seccomp profile (/etc/docker/chrome.json) failed: open /etc/docker/chrome.json: no such file or directory",
        {"without": "security-opt"},
    ),
    "apparmor-not-loaded": (
        "unable to apply apparmor profile: apparmor failed to apply profile: write /proc/self/attr/apparmor/exec: no such file or directory",
        {"after_restart": "app"},
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
}
"""The row, the text, and the variables that it gives to the commands of its page."""


def test_every_start_error_has_its_own_line():
    assert {failure.name for failure in START_ERRORS} == STARTS.keys()


@pytest.mark.parametrize("name", STARTS)
def test_a_start_error_is_recognised_among_all(name: str):
    text, variables = STARTS[name]
    found = recognise([text], None, START_ERRORS)
    assert found is not None
    assert found.failure.name == name
    assert "{" not in found.cause + found.cure
    assert all(value for key, value in found.values.items() if f"{{{key}}}" in found.failure.cause)
    assert found.page_variables(KNOWN) == variables


def test_what_is_not_known_gives_no_variable():
    found = recognise([STARTS["address-outside"][0]], None, START_ERRORS)
    assert found is not None
    assert found.page_variables({"only_network": ""}) == {}


def test_every_variable_is_one_of_a_page():
    pages = [runbooks.page(id) for id in PAGES]
    declared = {name for page in pages for name in page.variables}
    used = {name for failure in START_ERRORS for name in failure.page}
    assert used - {"mountpoint_of"} <= declared


PAGES = ("container.start-refused", "container.runtime-limit-hit", "container.device-missing")
"""The pages of the checks that read the table."""
