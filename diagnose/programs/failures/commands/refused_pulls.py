"""Errors of docker about a registry and its logins where a pull or a push fails, with their
meaning in plain words."""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Failure

REFUSED_PULLS = (
    Failure(
        name="pull-altered",
        mark="unexpected commit digest",
        pattern=r"unexpected commit digest (?P<got>sha256:[0-9a-f]{1,64}), expected (?P<announced>sha256:[0-9a-f]{1,64})",
        cause="what arrived is not what the registry has announced: a mirror, a proxy or a cut connection has changed it",
        cure="pull again; where the same digest arrives each time, clear the cache of the mirror or proxy, or go past it",
        confirmed_by="image.pull-altered",
    ),
    Failure(
        name="credential-helper",
        mark="error getting credentials",
        pattern=r"error getting credentials - err: exec: \"docker-credential-(?P<helper>[\w.-]{1,99})\": "
        r"executable file not found",
        cause='config.json of the docker command names the credential helper "{helper}", which is not installed',
        cure="take the line credsStore or credHelpers that names it out of ~/.docker/config.json, and docker login again",
        confirmed_by="image.credential-helper-missing",
    ),
    Failure(
        name="credential-helper-fails",
        mark="error getting credentials",
        pattern=r"error getting credentials - err: (?!exec:)(?P<why>[^\n]{1,300})",
        cause="the helper that keeps the logins of the docker command fails ({why}): its store (pass, gpg, a desktop's key "
        "ring) is locked or not there in this session",
        cure="grep -n creds ~/.docker/config.json names it; take that line out and docker login again, or unlock the store",
        source="docker/docker-credential-helpers#102",
        confirmed_by="image.credential-helper-missing",
    ),
    Failure(
        name="client-config-forbidden",
        mark="error loading config file",
        pattern=r"error loading config file: (?:open |stat )?(?P<path>/[^\s:]{1,300})[^\n]{0,300}permission denied",
        cause="the docker command may not read {path}, so that it knows no stored login; "
        "often sudo docker has made the file as root",
        cure='sudo chown -R "$(id -u):$(id -g)" ~/.docker gives the folder back to its user',
        confirmed_by="image.client-config-unreadable",
    ),
    Failure(
        name="client-config-broken",
        mark="error loading config file",
        pattern=r"error loading config file: (?P<path>/[^\s:]{1,300}): (?P<why>(?:invalid|unexpected|json)[^\n]{1,200})",
        cause="{path} is not valid JSON ({why}), so that the docker command knows no stored login",
        cure="python3 -m json.tool {path} shows the place: correct it, or move the file away and docker login again",
        source="docker/cli's own message",
        confirmed_by="image.client-config-unreadable",
    ),
    Failure(
        name="login-at-no-registry",
        mark="failed with status: 404",
        pattern=r"login attempt to (?P<registry>https?://[\w.:/-]{1,200}?)(?:/v2/)? failed with status: 404",
        cause="{registry} answers, and no registry does there: the port or the path is wrong, or a web server stands before it that does not pass "
        "/v2/ on",
        cure="curl -si {registry}/v2/ shows who answers: a registry says 200 or 401 with Docker-Distribution-Api-Version",
        confirmed_by="image.registry-unreachable",
    ),
    Failure(
        name="registry-denies",
        mark=("denied", "unauthorized", "no basic auth credentials"),
        pattern=r"(?:Head|Get) \"?https?://(?P<registry>[\w.:-]{1,200})/v2/(?P<repository>[\w./-]{1,200}?)/manifests/[^\s\"]{1,200}\"?: (?:denied|unauthorized|no basic auth credentials)",
        cause="the registry {registry} does not let this login read the image: nobody is logged in there, the token has expired, or it has no right "
        "to that repository (GitHub: read:packages)",
        cure="docker logout {registry} and docker login {registry} with a token that may read packages, as the user that pulls (sudo has a login of its own)",
        confirmed_by="image.pull-denied",
    ),
    Failure(
        name="login-not-there",
        mark="no basic auth credentials",
        pattern=r"no basic auth credentials",
        cause="the user who pulls or pushes has no login at that registry, or an expired one",
        cure="docker login REGISTRY with its name from the image, as the user that pulls (sudo has a login of its own); at ECR a login lasts 12 hours",
        confirmed_by="image.pull-denied",
    ),
    Failure(
        name="registry-quota",
        mark="exceeded your pull ",
        pattern=r"exceeded your pull (?:quota|limit)",
        cause="the registry counts pulls, and this login or address has used up its share",
        cure="docker login raises it; a mirror of one's own (registry-mirrors) asks once for all hosts",
        confirmed_by="image.pull-rate-limited",
    ),
    Failure(
        name="unpacker-too-old",
        mark="unpigz",
        pattern=r"exit status \d{1,3}: unpigz: (?P<why>[^\n]{1,120})",
        cause="the engine unpacks layers with the host's unpigz (package pigz), which fails: {why}",
        cure="update or remove the package pigz, or set MOBY_DISABLE_PIGZ=true in docker.service: the engine then unpacks by itself",
        source="moby/moby#39859",
        confirmed_by="image.unpack-failed",
    ),
    Failure(
        name="attributes-unsupported",
        mark="lsetxattr",
        pattern=r"lsetxattr (?P<attribute>[\w.]{1,80}) (?P<path>/\S{1,200}): operation not supported",
        cause="a file of the image has the attribute {attribute}, and the file system of the data root keeps none: NFS, an old kernel, or a mount "
        "with nouser_xattr",
        cure="findmnt -T /var/lib/docker shows the file system: the data root belongs on ext4 or xfs of this host",
        source="moby/moby#1070",
        confirmed_by="storage.filesystem-unsupported",
    ),
    Failure(
        name="archive-cut-off",
        mark=("docker-import-", "error processing tar file", "invalid tar header"),
        pattern=r"docker-import-\d+/repositories: no such file|Error processing tar file\([^)\n]{1,60}\): (?:unexpected EOF|archive/tar: [^\n]{1,80})"
        r"|response from daemon: (?:archive/tar: )?invalid tar header",
        cause="the file that was loaded is not an archive of docker save, or only a part of one: docker export makes another kind, and a copy may be cut off",
        cure="tar tf FILE | head shows what it is: docker load takes what docker save wrote (with manifest.json), docker import what docker export wrote; "
        "compare sizes and copy it again",
        source="moby/moby#18799",
        confirmed_by="image.unpack-failed",
        unlike=LazyPattern(r"failed to register layer"),
    ),
    Failure(
        name="login-refused",
        mark="login attempt",
        pattern=r"login attempt to (?P<registry>https?://[^\s/]{1,200})\S* failed with status: (?P<code>\d{3})",
        cause="{registry} takes neither this user name nor this password: it answers {code}",
        cure="log in with what the registry expects: often a token instead of the password (two "
        "factors, single sign-on), and the user name as the registry writes it",
        confirmed_by="image.pull-denied",
        look="database",
    ),
    Failure(
        name="push-denied",
        mark="requested access to the resource is denied",
        pattern=r"^(?:error response from daemon: )?denied: requested access to the resource is denied",
        cause="the registry does not let this login push to that repository: nobody is logged in, or the name does not "
        "begin with the user or organisation that may write there",
        cure="docker login, and name the image for the registry: docker tag IMAGE USER/NAME:TAG",
        confirmed_by="image.push-failed",
    ),
    Failure(
        name="repository-forbidden",
        mark="unauthorized to access repository",
        pattern=r"unauthorized to access repository: (?P<repository>[^\s,]{1,300}), action: (?P<action>\w{1,20})",
        cause="the registry does not let this login {action} the repository {repository}",
        cure="docker logout and docker login with an account that may {action} there; in Harbor, its role in that project",
        source="goharbor/harbor#15077",
        confirmed_by="image.push-failed",
    ),
    Failure(
        name="registry-login-refused",
        mark="unauthorized: ",
        pattern=r"unauthorized: incorrect username or password",
        cause="the registry does not take the login of this request: its user name or its password is wrong, or the token has expired",
        cure="docker logout REGISTRY, then docker login REGISTRY with a valid token; where a second factor is set, a password is refused",
        confirmed_by="image.pull-denied",
    ),
    Failure(
        name="registry-login-missing",
        mark="unauthorized: ",
        pattern=r"unauthorized: (?:authentication required|access to the requested resource)",
        cause="the registry takes no request without a valid login, and the stored one is missing, old or of another registry",
        cure="docker login REGISTRY with a token that has the right to read the image, and repeat the command",
        confirmed_by="image.pull-denied",
    ),
    Failure(
        name="host-without-nameserver",
        mark="lookup ",
        pattern=r"lookup (?P<host>[\w.-]{1,253}) on (?P<server>\[::1\]|127\.0\.0\.1):53: [^\n]{0,160}connection refused",
        cause="{host} was looked up at {server}, where no DNS server answers: /etc/resolv.conf "
        "of this host names none, or one of this host that is not running",
        cure="cat /etc/resolv.conf shows it; with systemd-resolved, ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf "
        "brings its list back; else write nameserver and an address that answers",
        source="moby/moby#45002",
        confirmed_by="dns.host-broken",
    ),
    Failure(
        name="registry-name-unresolved",
        mark="lookup ",
        pattern=r"dial tcp: lookup (?P<host>[\w.-]{1,253})(?: on \S{1,60})?: (?:temporary failure in name resolution"
        r"|no such host|server misbehaving|(?:read udp )?[^\n]{0,100}i/o timeout)",
        cause='the engine cannot resolve "{host}": the DNS servers in the host\'s /etc/resolv.conf do not answer',
        cure="getent hosts {host} repeats the question; correct the host's DNS servers",
        confirmed_by="dns.host-broken",
    ),
    Failure(
        name="login-without-terminal",
        mark="interactive login",
        pattern=r"cannot perform an interactive login from a non[- ]TTY device",
        cause="docker login wants to ask for a password, and has no terminal (a script, a CI job, a pipe)",
        cure='printf %s "$TOKEN" | docker login -u USER --password-stdin REGISTRY',
    ),
    Failure(
        name="credential-store-locked",
        mark="credentials",
        pattern=r"error (?:storing|getting) credentials - err: exit status 1, out: `(?P<why>[^`\n]{1,200})",
        cause="the credential helper of the docker command cannot open its store: {why}",
        cure="on a machine without a desktop take the line credsStore out of ~/.docker/config.json, or use the helper pass",
        confirmed_by="image.credential-helper-missing",
    ),
    Failure(
        name="manifest-unlike-image",
        mark="match image configuration",
        pattern=r"layers from manifest don't match image configuration",
        cause="the registry's manifest of this image names other layers than the image itself: it was pushed wrongly, or "
        "a proxy or mirror gave an old part of it",
        cure="push the image again; if others can pull it, pull once without the mirror or proxy",
        source="the engine's own message",
        confirmed_by="image.pull-altered",
    ),
    Failure(
        name="image-of-other-system",
        mark="image operating system",
        pattern=r"image operating system \"(?P<system>\w{1,20})\" cannot be used on this platform",
        cause="the image is made for {system}, and this engine runs containers of another system",
        cure="take an image for this system; on a desktop, switch the engine between Linux and Windows containers",
        confirmed_by="image.platform-mismatch",
    ),
    Failure(
        name="thin-pool-full",
        mark="thin pool has",
        pattern=r"Thin Pool has (?P<left>\d{1,15}) free (?P<kind>data|metadata) blocks which is less than",
        cause="the pool of the storage driver devicemapper has too little room for {kind} left ({left} blocks)",
        cure="docker image prune and docker container prune free some; lvextend makes the pool larger; the driver was removed "
        "with engine 25: overlay2 takes its place",
        source="moby/moby#3182",
        confirmed_by="storage.disk-full",
    ),
    Failure(
        name="layer-without-room",
        mark="failed to register layer",
        pattern=r"failed to register layer: [^\n]{0,300}no space left on device",
        cause="the disk of the engine's data root is full, and the image cannot be unpacked",
        cure="docker system df shows what takes the room; docker image prune removes images without a name",
        confirmed_by="storage.disk-full",
    ),
    Failure(
        name="layer-store-damaged",
        mark=("/overlay2", "layer does not exist"),
        pattern=r"(?:readlink|open|lstat|stat) /\S{1,200}/overlay2(?:/(?P<layer>\S{1,100}?))?: (?:invalid argument|is a directory|structure needs cleaning)"
        r"|^(?:docker: )?(?:Error response from daemon: )?layer does not exist",
        cause="the engine's store of layers is damaged: files in it are empty, missing or of another kind, as after a loss of power, a full "
        "disk, or a removal by hand",
        cure="docker image rm -f IMAGE and docker pull IMAGE fetch an image's layers again; a container's writable layer is lost: docker rm -f it "
        "and create it again",
        source="moby/moby#39560",
        confirmed_by="image.corrupt",
    ),
    Failure(
        name="layers-too-many",
        mark="max depth exceeded",
        pattern=r"max depth exceeded",
        cause="the image has more layers than the storage driver can stack: 125 with overlay2",
        cure="join RUN, COPY and ADD steps of the Dockerfile, or flatten the image with a multi-stage build",
        source="the engine's own message",
        confirmed_by="image.too-many-layers",
    ),
)
"""The first row that fits counts."""
