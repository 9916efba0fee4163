"""Commands that do not reach the engine, the builder, a proxy or a mirror on their way.

The other end matters more than the words: a mirror is not the registry, and the proxy that refuses
is not the server behind it.
"""

from diagnose.programs.failures.recognition import Failure

_SSH = r"has exited with exit status \d{1,3}[^\n]{0,200}stderr=[^\n]{0,300}?"

_BY_SSH = (
    Failure(
        name="ssh-key-refused",
        mark="exited with exit status",
        pattern=_SSH + r"(?P<login>[\w.-]{1,60}@[\w.:-]{1,100}): Permission denied",
        cause="docker calls the engine by ssh, and the host there accepts no key of yours for {login}",
        cure="ssh {login} true has to work without a password: load the key (ssh-add) or add it to authorized_keys there",
        confirmed_by="daemon.client-context-dead",
    ),
    Failure(
        name="ssh-host-unverified",
        mark="exited with exit status",
        pattern=_SSH + r"(?:Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED)",
        cause="docker calls the engine by ssh, which does not know the host's key, or knows another one",
        cure="connect once by hand with ssh to compare and store the key; ssh-keygen -R HOST removes an old one",
        confirmed_by="daemon.client-context-dead",
    ),
    Failure(
        name="ssh-without-docker",
        mark="exited with exit status",
        pattern=r"exited with exit status 127|"
        + _SSH
        + r"(?:docker: (?:command )?not found|No such file or directory)",
        cause="ssh reaches the host, and its shell finds no program docker there",
        cure="ssh HOST docker version shows it: install docker there, or correct PATH of that user's non-interactive shell",
        confirmed_by="daemon.client-context-dead",
    ),
    Failure(
        name="ssh-failed",
        mark="exited with exit status",
        pattern=r"command \[ssh [^\n]{0,200}has exited with exit status (?P<code>\d{1,3})(?:[^\n]{0,200}stderr=(?P<why>[^\n]{1,300}))?",
        cause="docker calls the engine by ssh, and ssh ended with {code}: {why}",
        cure="repeat the ssh command by hand: what it prints is the cause; DOCKER_HOST or docker context ls says whose it is",
        confirmed_by="daemon.client-context-dead",
    ),
)

_TO_ENGINE = (
    Failure(
        name="engine-ended-meanwhile",
        mark=("docker.sock", "docker_engine"),
        pattern=r"(?:docker\.sock|docker_engine)[^\n]{0,200}(?:: EOF\b|connection reset by peer|broken pipe|unexpected EOF)",
        cause="the engine closed the connection in the middle of the request: it ended, was restarted, or crashed on it",
        cure="systemctl status docker and journalctl -u docker -n 60 --no-pager say which; then repeat the command",
        confirmed_by="daemon.not-running",
    ),
    Failure(
        name="compose-client-unserved",
        mark="docker daemon at http+docker",
        pattern=r"Couldn't connect to Docker daemon at http\+docker://\S{1,99} - is it running",
        cause="no engine answers docker-compose: docker is not running, or your user may not "
        "open its socket",
        cure="docker ps says which of the two: start the engine (systemctl start docker), or add your user to the group "
        'docker (sudo usermod -aG docker "$USER") and log in again',
        source="docker-compose's own message",
        confirmed_by="daemon.not-running",
    ),
    Failure(
        name="old-client-gave-up",
        mark=("read timed out", "request took too long"),
        pattern=r"HTTPConnectionPool\(host='localhost', port=None\): Read timed out\. \(read timeout=(?P<seconds>\d{1,5})"
        r"|An HTTP request took too long to complete",
        cause="the engine did not answer docker-compose 1 (or another Python client) in its time, 60 s unless set: the engine or the disk "
        "is busy, or a container is slow to stop",
        cure="diagnose all says what is slow; COMPOSE_HTTP_TIMEOUT=300 waits longer, and docker compose has no such limit",
        source="docker/compose#3927",
        confirmed_by="daemon.hung",
    ),
    Failure(
        name="desktop-file-sharing",
        mark="ipc/filesharing",
        pattern=r"http://ipc/filesharing/share\"?: (?P<why>[^\n]{1,120})",
        cause="the part of Docker Desktop that shares folders with its virtual machine does not answer",
        cure="restart Docker Desktop; Settings, Resources, File sharing must list the folder that is mounted",
        source="docker/for-mac#6812",
    ),
    Failure(
        name="record-changed-meanwhile",
        mark="unable to complete atomic operation",
        pattern=r"Unable to complete atomic operation, key modified",
        cause="the engine's record of its networks was changed by another operation at the same moment",
        cure="repeat the command; where it fails each time, systemctl restart docker reads the record again",
        source="moby/moby#25960",
    ),
    Failure(
        name="python-client-forbidden",
        mark="fetching server api version",
        pattern=r"fetching server API version[^\n]{0,200}PermissionError",
        cause="your user may not open the engine's socket: it is not in the group docker, or was added after you logged in",
        cure='sudo usermod -aG docker "$USER", then log in again or type newgrp docker (members are as strong as root)',
        confirmed_by="daemon.socket-forbidden",
    ),
    Failure(
        name="python-client-unserved",
        mark="fetching server api version",
        pattern=r"fetching server API version[^\n]{0,200}(?:FileNotFoundError|ConnectionRefusedError|No such file|Connection refused)",
        cause="no engine serves the socket that this program opens: docker is not running, or "
        "its socket is another one",
        cure="systemctl status docker; where the program runs in a container, mount /var/run/docker.sock into it",
        confirmed_by="daemon.not-running",
    ),
)

_TO_BUILDER = (
    Failure(
        name="builder-ended",
        mark=("e", "transport is closing"),
        pattern=r"(?:error reading from server|failed to receive status|transport is closing|rpc error: code = Unavailable)[^\n]{0,200}"
        r"(?:EOF|closed|unavailable|reset by peer|closing)",
        cause="the connection to the builder broke: BuildKit ended in the middle of the build, most often because memory "
        "ran out, or it was restarted",
        cure="dmesg -T | grep -i 'killed process' shows the first, docker buildx ls the builder; build again, with fewer steps at once",
        confirmed_by="image.build-failed",
    ),
    Failure(
        name="builder-pushes-to-itself",
        mark="failed to push",
        pattern=r"failed to push (?P<image>(?:localhost|127\.0\.0\.1)[^\s:]{0,60}(?::\d{1,5})?/\S{1,200}): [^\n]{0,400}connection refused",
        cause="the builder pushes to {image}: a builder in a container looks for localhost in itself, and not on this host",
        cure="docker buildx create --use --driver-opt network=host makes a builder on the host's network; or name the host's "
        "address; with the builder of the engine, nothing listens at that port",
        source="docker/buildx#94",
        confirmed_by="image.push-failed",
    ),
    Failure(
        name="build-content-lost",
        mark="not found",
        pattern=r"(?:content digest|failed to load cache key|blob) (?P<digest>sha256:[0-9a-f]{8,64}|content digest)[^\n]{0,120}: not found",
        cause="the builder's store names a layer ({digest}) that it no longer has: its cache was removed in part, or is damaged",
        cure="docker builder prune empties the build cache, and docker pull fetches the base image again; nothing else is lost",
        source="docker/compose#11265",
        confirmed_by="image.build-failed",
    ),
    Failure(
        name="platforms-not-exported",
        mark="manifest lists",
        pattern=r"exporter does not (?:currently )?support exporting manifest lists",
        cause="--load keeps one image, and the build is for several platforms, which the engine's image store cannot hold",
        cure="build for one platform with --load, or push with --push; an engine with the containerd image store keeps both",
        source="docker/buildx#59",
    ),
    Failure(
        name="step-of-other-platform",
        mark="exec /bin/",
        pattern=r"(?:^|[ \d.])exec (?P<shell>/\S{1,60}): no such file or directory$",
        cause="the step's image has no {shell}: it has no shell at all, or is built for another platform whose emulator is missing",
        cure="docker run --rm --entrypoint ls IMAGE /bin shows the first; docker run "
        "--privileged --rm tonistiigi/binfmt --install all fixes the second",
        source="docker/buildx#1986",
        confirmed_by="image.build-failed",
    ),
)

_BY_WAY = (
    Failure(
        name="proxy-unreached",
        mark="proxyconnect",
        pattern=r"proxyconnect tcp: (?:dial tcp:? )?(?:lookup (?P<name>[\w.-]{1,200})|(?P<address>[\d.:\[\]a-f]{3,60}?)(?=: ))[^\n]{0,100}?: (?:connect: )?(?P<why>[^\n]{1,120})",
        cause="the engine's proxy {address}{name} is not reached: {why}",
        cure="docker info | grep -i proxy shows the setting, curl -sv telnet://PROXY:PORT tries it; start the proxy, or correct "
        "proxies in daemon.json or the unit's HTTP_PROXY and restart docker (127.0.0.1 is the engine's host)",
        confirmed_by="image.registry-proxy",
    ),
    Failure(
        name="proxy-speaks-no-tls",
        mark="proxyconnect",
        pattern=r"proxyconnect tcp: (?:tls: first record does not look like a TLS handshake|x509)",
        cause="the proxy's address begins with https://, and the proxy itself speaks plain HTTP",
        cure="write http:// before the proxy's address, also in HTTPS_PROXY: the traffic in it stays encrypted",
        confirmed_by="image.registry-proxy",
    ),
    Failure(
        name="mirror-fails",
        mark="ns=docker.io",
        pattern=r"\"https?://(?P<mirror>[\w.:-]{3,200})/v2/[^\"\n]{1,300}[?&]ns=docker\.io\": (?P<why>[^\n]{1,300})",
        cause="a mirror of Docker Hub, {mirror}, was asked instead of it, and does not serve the image: {why}",
        cure="docker info lists the mirrors; take this one out of registry-mirrors in daemon.json and reload docker, or wait for it",
        confirmed_by="image.registry-unreachable",
    ),
    Failure(
        name="registry-body-refused",
        mark="413",
        pattern=r"(?:parsing HTTP|HTTP status:?|status(?: code)?:?) 413\b",
        cause="the web server before the registry takes no body of this size, and a layer is larger",
        cure="nginx: client_max_body_size 0 in the registry's server block, and reload it; Cloudflare has a limit of its own",
        confirmed_by="image.push-failed",
    ),
    Failure(
        name="registry-answers-a-page",
        mark="response body",
        pattern=r"error parsing HTTP (?P<code>\d{3}) response body: (?:invalid character '<'|[^\n]{0,200}<html)",
        cause="what answers in the registry's place is a web page with status {code}: another web server, a proxy's or a "
        "firewall's page, or the path of a registry that is not there",
        cure="curl -si https://HOST/v2/ shows the page: correct the name, or the proxy that hands on to the registry",
        confirmed_by="image.registry-unreachable",
    ),
    Failure(
        name="registry-gateway-failed",
        mark="unexpected http status",
        pattern=r"received unexpected HTTP status: (?P<code>50\d) (?P<words>[A-Z][\w ]{2,40})",
        cause="the registry, or the web server before it, answers {code} {words}: it is down, has no room left, or is not where that server looks",
        cure="look at the registry's own log and state on its host; for Docker Hub see status.docker.com, and repeat later",
        confirmed_by="image.registry-unreachable",
    ),
)

REFUSED_CONNECTIONS = (*_BY_SSH, *_TO_ENGINE, *_BY_WAY, *_TO_BUILDER)
"""The first row that fits counts."""
