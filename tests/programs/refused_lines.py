"""Lines of commands that do not reach their other end, find no place, or lack a package."""

_CONNECT = "error during connect: "
_SSH = (
    _CONNECT
    + 'Get "http://docker.example.com/v1.24/containers/json": command [ssh -l deploy -- 10.0.0.5 '
    "docker system dial-stdio] has exited with exit status {}, please make sure the URL is valid, and "
    "Docker 18.09 or later is installed on the remote host: stderr={}"
)
_PYTHON = "docker.errors.DockerException: Error while fetching server API version: ('Connection aborted.', {})"
_DAEMON = "Error response from daemon: "
_TASK = 'shop.1  shop:1.4  Running  Pending 4 minutes ago  "no suitable node ({})"'
_HUB = 'Get "https://registry-1.docker.io/v2/": '
_SOLVE = "ERROR: failed to solve: "
MORE_LINES = {
    "pid-file-left": "Error starting daemon: pid file found, ensure docker is not running or delete /var/run/docker.pid",
    "unit-not-there": "Failed to start docker.service: Unit docker.service not found.",
    "socket-limit-hit": "docker.socket: Failed with result 'service-start-limit-hit'.",
    "package-engine-not-started": "dpkg: error processing package docker-ce (--configure): installed docker-ce package post-installation "
    "script subprocess returned error exit status 1",
    "own-containerd-ended": 'level=error msg="containerd did not exit successfully" error="signal: segmentation fault" module=libcontainerd',
    "command-is-a-wrapper": "/usr/bin/docker: line 13: /usr/bin/docker-latest: No such file or directory",
    "chain-gone": "iptables v1.8.7 (nf_tables): Chain 'DOCKER-ISOLATION-STAGE-2' does not exist",
    "log-server-refuses": "failed to create task for container: failed to initialize logging driver: dial tcp 10.0.0.5:12201: connect: connection refused",
    "log-journal-missing": _DAEMON
    + "failed to initialize logging driver: journald is not enabled on this host",
    "plugin-not-there": _DAEMON + "could not find plugin vieux/sshfs",
    "init-not-first": "[WARN  tini (7)] Tini is not running as PID 1 and isn't registered as a child subreaper.",
    "share-options-refused": _DAEMON
    + "failed to mount local volume: mount //nas.lab/share:/var/lib/docker/volumes/media/_data, data: username=media,vers=3.0: invalid argument",
    "old-client-gave-up": "ERROR: for web  UnixHTTPConnectionPool(host='localhost', port=None): Read timed out. (read timeout=60)",
    "desktop-file-sharing": _DAEMON
    + 'Post "http://ipc/filesharing/share": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    "record-changed-meanwhile": _DAEMON + "Unable to complete atomic operation, key modified",
    "layer-store-damaged": _DAEMON
    + 'container 3f2a8: driver "overlay2" failed to remove root filesystem: readlink /var/lib/docker/overlay2/l: invalid argument',
    "leadership-lost": _DAEMON
    + "rpc error: code = 2 desc = raft: failed to process the request: node lost leader status",
    "token-of-another-swarm": _DAEMON + "remote CA does not match fingerprint. Expected: 4f2c",
    "manager-certificate": _DAEMON
    + 'rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: x509: certificate has expired or is not yet valid"',
    "gateway-bridge-gone": "starting container failed: failed to create endpoint gateway_9af on network docker_gwbridge: network does not exist",
    "update-paused": "update paused due to failure or early termination of task 8qzc2n0xk3",
    "service-name-malformed": "invalid service web.1: must be a DNS name component",
    "listed-as-restarting": '3f2a81c0d1aa   shop/api:1.4   "docker-entrypoint.s…"   3 minutes ago   Restarting (1) 12 seconds ago             shop-api-1',
    "listed-as-unhealthy": '3f2a81c0d1aa   shop/api:1.4   "docker-entrypoint.s…"   3 minutes ago   Up 3 minutes (unhealthy)   80/tcp   shop-api-1',
    "nested-without-privileges": "2024-01-11T10:22:11.123Z AppArmor detection and --privileged mode might break.",
    "init-ended-at-once": 'OCI runtime create failed: container_linux.go:348: starting container process caused "process_linux.go:297: '
    'copying bootstrap data to pipe caused \\"write init-p: broken pipe\\"": unknown',
    "device-rules-unlike": "setting cgroup config for procHooks process caused: resulting devices cgroup doesn't match target mode: unknown",
    "last-run-left-behind": _DAEMON
    + "Cannot start container a659626bda7bcab0f303bf015bb9a672: file exists",
    "folder-not-listed": "ERROR: for web  Cannot start service web: readdirent: permission denied",
    "command-empty": '{"cause":"OCI runtime error","message":"args must not be empty: OCI runtime error","response":500}',
    "portainer-environment": "Failed loading environment: The environment named local is unreachable",
    "testcontainers-no-engine": "java.lang.IllegalStateException: Could not find a valid Docker environment. Please see logs and check configuration",
    "testcontainers-port-closed": "ContainerLaunchException: Timed out waiting for container port to open (localhost ports: [32768] should be listening)",
    "agent-without-docker": "/var/jenkins_home/workspace/app@tmp/durable-1/script.sh: 1: docker: not found",
    "runner-cache-volume": "ERROR: Preparation failed: adding cache volume: set volume permissions: running permission container: "
    "waiting for permission container to finish: exit code 1",
    "runner-network-in-use": "ERROR: Failed to remove network for build",
    "python-package-missing": "Failed to import the required Python library (Docker SDK for Python: docker (Python >= 2.7)) on web1's Python /usr/bin/python3. Please",
    "login-at-no-registry": _DAEMON
    + "login attempt to https://registry.lab/v2/ failed with status: 404 Not Found",
    "registry-denies": _DAEMON + 'Head "https://registry.lab/v2/corp/app/manifests/latest": denied',
    "login-not-there": "no basic auth credentials",
    "registry-quota": "error from registry: You have exceeded your pull quota",
    "unpacker-too-old": "failed to register layer: exit status 22: unpigz: abort: zlib version less than 1.2.3",
    "attributes-unsupported": "failed to extract layer: lsetxattr security.capability /usr/bin/ping: operation not supported",
    "archive-cut-off": "open /var/lib/docker/tmp/docker-import-970689518/repositories: no such file or directory",
    "compose-file-forbidden": "stat /srv/shop/docker-compose.yml: permission denied",
    "compose-env-line": 'failed to read /srv/shop/.env: line 3: unexpected character "-" in variable name near "MY-VAR=1"',
    "compose-key-twice": 'mapping key "web" already defined at line 4',
    "compose-volume-kept": 'Service "web" is using volume "/data" from the previous container. Host mapping "/srv/data" has no effect.',
    "compose-health-interval": _DAEMON
    + "can't set healthcheck.start_interval as feature require Docker Engine v25 or later",
    "host-network-with-ports": '"host" network_mode is incompatible with port_bindings',
    "compose-dependency-undeclared-old": "ERROR: Service 'web' depends on service 'db' which is undefined.",
    "compose-image-removed": "ERROR: The image for the service you're trying to recreate has been removed. If you continue, volume data could be lost.",
    "authorities-not-in-image": "fatal: unable to access 'https://git.example.com/x.git/': server certificate verification failed. CAfile: none CRLfile: none",
    "layers-too-many": "Error response from daemon: max depth exceeded",
    "compose-client-unserved": "ERROR: Couldn't connect to Docker daemon at http+docker://localhost - is it running?",
    "release-archived": "E: The repository 'http://deb.debian.org/debian buster Release' does not have a Release file.",
    "tool-of-another-distribution": "/bin/sh: apt-get: not found",
    "manifest-unlike-image": "layers from manifest don't match image configuration",
    "ssh-key-refused": _SSH.format(255, "deploy@10.0.0.5: Permission denied (publickey)."),
    "ssh-host-unverified": _SSH.format(255, "Host key verification failed."),
    "ssh-without-docker": _SSH.format(127, "bash: docker: command not found"),
    "ssh-failed": _SSH.format(255, "ssh: connect to host 10.0.0.5 port 22: Connection refused"),
    "engine-ended-meanwhile": "unable to get image 'shop:1.4': "
    + _CONNECT
    + 'Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.47/images/shop:1.4/json": EOF',
    "python-client-forbidden": _PYTHON.format("PermissionError(13, 'Permission denied')"),
    "python-client-unserved": _PYTHON.format("FileNotFoundError(2, 'No such file or directory')"),
    "builder-ended": _SOLVE
    + "error writing layer blob: failed to copy: failed to send write: error reading from server: EOF: unavailable",
    "builder-pushes-to-itself": _SOLVE
    + 'failed to push localhost:5000/app:1: failed to do request: Head "http://localhost:5000/v2/app/blobs/sha256:1b": '
    "dial tcp [::1]:5000: connect: connection refused",
    "build-content-lost": _DAEMON + "content digest sha256:abcdef0123456789: not found",
    "platforms-not-exported": "error: docker exporter does not currently support exporting manifest lists",
    "step-of-other-platform": "#12 0.101 exec /bin/sh: no such file or directory",
    "proxy-unreached": _DAEMON
    + _HUB
    + "proxyconnect tcp: dial tcp 127.0.0.1:7890: connect: connection refused",
    "proxy-speaks-no-tls": _DAEMON
    + _HUB
    + "proxyconnect tcp: tls: first record does not look like a TLS handshake",
    "mirror-fails": "failed to solve: node:18-alpine: failed to do request: "
    'Head "https://mirror.example.com/v2/library/node/manifests/18-alpine?ns=docker.io": EOF',
    "registry-body-refused": "error parsing HTTP 413 response body: invalid character '<' looking for beginning "
    'of value: "<html>\\r\\n<head><title>413 Request Entity Too Large</title></head>"',
    "registry-answers-a-page": "error parsing HTTP 404 response body: invalid character '<' looking for beginning "
    'of value: "<!DOCTYPE html>"',
    "registry-gateway-failed": _DAEMON + "received unexpected HTTP status: 502 Bad Gateway",
    "node-not-available": _TASK.format("1 node not available for new tasks"),
    "node-too-small": _TASK.format("insufficient resources on 2 nodes"),
    "compose-date-unquoted": "validating /srv/shop/compose.yaml: services.web.environment.RELEASED invalid jsonType time.Time",
    "memory-above-swap": f"{_DAEMON}cannot update container 4f2c1a7e: Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
    "config-not-changed": f"failed to update config shop_site: {_DAEMON}rpc error: code = InvalidArgument desc = only updates to Labels are allowed",
    "config-in-use": f"{_DAEMON}rpc error: code = InvalidArgument desc = secret 'shop_key' is in use by the following service: shop_web",
    "network-of-one-host": 'failed to deploy a stack: network "web" is declared as external, but it is not in the right scope: "local" instead of "swarm"',
    "swarm-refuses": f"{_DAEMON}rpc error: code = InvalidArgument desc = service mode change is not allowed",
    "node-not-wanted": _TASK.format("scheduling constraints not satisfied on 1 node"),
    "node-port-taken": _TASK.format("host-mode port already in use on 1 node"),
    "node-of-other-platform": _TASK.format("unsupported platform on 1 node"),
    "node-lacks-part": _TASK.format("max replicas per node limit exceed"),
    "task-without-image": "n1  \\_ web.1  reg.lan/web:3  wrk1  Shutdown  Rejected 5 seconds ago  "
    '"No such image: reg.lan/web:3"',
    "task-source-missing": 'level=error msg="failed to start taskManager" error="invalid bind mount source, '
    'source path not found: /datanotexist" module=agent',
    "task-error-cut-off": "y1  \\_ basex.1  basex:latest  vm1  Shutdown  Failed 2 seconds ago  "
    '"starting container failed: oc\u2026"',
    "package-selinux-missing": "           Requires: container-selinux >= 2.9",
    "package-agent-missing": "gpg: failed to start agent '/usr/bin/gpg-agent': No such file or directory",
    "packages-held-back": "E: Unable to correct problems, you have held broken packages.",
    "login-refused": _DAEMON
    + "login attempt to https://reg.example.com/v2/ failed with status: 401 Unauthorized",
    "ingress-missing": _DAEMON
    + "rpc error: code = FailedPrecondition desc = service needs ingress network, but no ingress network is present",
    "agent-without-manager": 'time="2026-06-21T14:31:05Z" level=error msg="agent: session failed" '
    'error="session initiation timed out" module="node/agent" node.id=kxw2l1g',
    "package-key-missing": "W: GPG error: https://download.docker.com/linux/ubuntu jammy InRelease: The following "
    "signatures couldn't be verified because the public key is not available: NO_PUBKEY 7EA0A9C3F273FCD8",
    "package-release-missing": "E: The repository 'https://download.docker.com/linux/debian virginia Release' "
    "does not have a Release file.",
    "package-not-offered": "E: Package 'docker-ce' has no installation candidate",
    "host-without-nameserver": 'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup '
    "registry-1.docker.io on [::1]:53: read udp [::1]:40123->[::1]:53: read: connection refused",
    "repository-forbidden": "unauthorized: unauthorized to access repository: shop/web, action: push",
    "image-of-other-system": 'image operating system "windows" cannot be used on this platform',
    "thin-pool-full": "devmapper: Thin Pool has 2738 free data blocks which is less than minimum required 163840 "
    "free data blocks. Create more free space in thin pool",
    "reservation-above-limit": f"{_DAEMON}Minimum memory limit can not be less than memory reservation limit, see usage",
    "address-on-default-network": f"{_DAEMON}user specified IP address is supported on user defined networks only",
    "overlay-not-attachable": f"{_DAEMON}Could not attach to network web: rpc error: code = PermissionDenied desc = "
    "network web not manually attachable",
    "fixed-address-taken": f"{_DAEMON}Address already in use",
    "unit-masked": "Failed to start docker.service: Unit docker.service is masked.",
    "compose-interpolation": 'invalid interpolation format for services.web.environment.X: "${A-B". '
    "You may need to escape any $ with another $",
    "compose-top-level": "Top level object in './docker-compose.yml' needs to be an object not '<class 'NoneType'>'.",
    "compose-network-foreign": "network shop_default was found but has incorrect label com.docker.compose.network "
    'set to "" (expected: "default")',
    "log-unreadable": f"{_DAEMON}error grabbing logs: invalid character '\\x00' looking for beginning of value",
    "exec-into-lost-namespace": "OCI runtime exec failed: exec failed: container_linux.go:380: starting container "
    "process caused: process_linux.go:130: executing setns process caused: exit status 1: unknown",
    "task-ended": 'w.1  web:3  n1  Shutdown  Failed 2 seconds ago  "task: non-zero exit (137)"',
    "address-to-advertise": f"{_DAEMON}could not choose an IP address to advertise since this system has multiple "
    "addresses on different interfaces (192.0.2.5 on eth0 and 198.51.100.7 on eth1)",
    "join-timed-out": f"{_DAEMON}Timeout was reached before node joined. The attempt to join the swarm will continue "
    "in the background.",
    "packet-forbidden": "ping: sendmsg: Operation not permitted",
    "package-conflicts": " containerd.io : Conflicts: containerd",
    "pull-altered": 'failed commit on ref "layer-sha256:ab12": unexpected commit digest sha256:cd34, expected sha256:ab12: failed precondition',
    "credential-helper-fails": "error getting credentials - err: exit status 1, out: ``",
    "bind-source-file": f'{_DAEMON}invalid mount config for type "bind": bind source path does not exist: '
    "/srv/app/conf/nginx.conf",
    "name-without-servers": "dial tcp: lookup db on 127.0.0.11:53: server misbehaving",
    "name-of-no-container": "dial tcp: lookup db on 127.0.0.11:53: no such host",
    "visit-of-closed-port": "curl: (7) Failed to connect to api port 8080 after 2 ms: Couldn't connect to server",
    "visit-without-way": "curl: (7) Failed to connect to 172.17.0.2 port 80: No route to host",
    "image-of-other-processor": "WARNING: The requested image's platform (linux/arm64) does not match the detected "
    "host platform (linux/amd64/v3) and no specific platform was requested",
    "user-not-in-image": f"docker: {_DAEMON}unable to find user app: no matching entries in passwd file",
    "ids-not-mapped": "[rootlesskit:parent] error: failed to setup UID/GID map: newuidmap 123 [0 1000 1 1 100000 65536] "
    "failed: newuidmap: write to uid_map failed: Operation not permitted",
    "user-namespaces-forbidden": "unshare: operation not permitted",
    "old-cgroups": "WARNING: Support for cgroup v1 is deprecated and planned to be removed by no later than May 2029",
    "compose-port-empty": "services.web.ports.0: invalid port mapping: no port specified: :80<empty>",
}
