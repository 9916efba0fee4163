"""Errors of docker where a pull or push fails on the way, at the registry, or at the layers."""

from diagnose.programs.failures.recognition import Failure

_ANSWERS = (
    Failure(
        name="rate-limited",
        mark="toomanyrequests",
        pattern=r"toomanyrequests",
        cause="the registry counts pulls by address or account, and this one has reached its limit for some hours",
        cure="docker login raises it; a mirror (registry-mirrors in daemon.json) saves pulls; else wait",
        confirmed_by="image.pull-rate-limited",
    ),
    Failure(
        name="image-unknown-or-private",
        mark="pull access denied",
        pattern=r"pull access denied for (?P<image>[^\s,]{1,300})",
        cause="the registry has no image {image}, or it is private and nobody is logged in there; it says the same of both",
        cure="correct the name (an image that is built here has to be built first), or docker login",
        confirmed_by="image.pull-denied",
    ),
    Failure(
        name="tag-unknown",
        mark=("manifest", "failed to resolve reference"),
        pattern=r"manifest for (?P<image>\S{1,300}) not found|manifest unknown|failed to resolve reference \"(?P<image_ref>[^\"\n]{1,300})\": "
        r"[^\n]{0,300}: not found",
        cause="the registry knows the repository, and not this tag or digest of it: {image}",
        cure="choose a tag that the registry's page of the image lists",
        confirmed_by="image.pull-denied",
    ),
    Failure(
        name="platform-not-built",
        mark="no m",
        pattern=r"no matching manifest for (?P<platform>[\w/.-]{1,60})|no match for platform in manifest",
        cause="the image exists, and not for this host's processor {platform}",
        cure="docker manifest inspect IMAGE lists its platforms; run one of them with --platform and an emulator, take another tag, or build the image",
        confirmed_by="image.platform-mismatch",
    ),
)

_TLS = (
    Failure(
        name="authority-unknown",
        mark="unknown authority",
        pattern=r"x509: certificate signed by unknown authority",
        cause="the registry's certificate comes from an authority that the engine does not know: a private one, or a proxy "
        "that opens the connection",
        cure="put the authority's certificate into /etc/docker/certs.d/HOST:PORT/ca.crt (no restart is needed)",
        confirmed_by="image.registry-tls",
    ),
    Failure(
        name="plain-registry",
        mark="http response to https client",
        pattern=r"server gave HTTP response to HTTPS client",
        cause="the registry speaks plain HTTP, and the engine expects TLS",
        cure="give the registry a certificate, or list HOST:PORT under insecure-registries in daemon.json and reload the engine",
        confirmed_by="image.registry-tls",
    ),
    Failure(
        name="certificate-out-of-time",
        mark="not yet valid",
        pattern=r"x509: certificate has expired or is not yet valid(?:: current time (?P<now>\S{1,40}) is (?P<side>before|after) (?P<bound>\S{1,40}))?",
        cause="the registry's certificate is outside its period of validity, or this host's "
        "clock is wrong: {now} is {side} {bound}",
        cure="date -u shows the clock; if it is right, the certificate has to be renewed",
        confirmed_by="image.registry-tls",
    ),
    Failure(
        name="certificate-of-other-name",
        mark="x509",
        pattern=r"x509: (?:certificate is (?:valid for|not valid for any names)|cannot validate certificate for)[^\n]{0,200}",
        cause="the registry's certificate does not have the name or address that the image is pulled by",
        cure="use a name that the certificate has, or have one issued with this name as subjectAltName",
        confirmed_by="image.registry-tls",
    ),
    Failure(
        name="client-certificate-unreadable",
        mark="unable to read",
        pattern=r"unable to read (?:CERT|KEY|CA)\w* (?:file|cert) \"(?P<file>[^\"\n]{1,300})\"",
        cause="the engine may not read {file}, a certificate for this registry, or it is not there",
        cure="ls -l of the file: it belongs to root, with mode 0600 or 0644, and with its partner .key beside it",
        confirmed_by="image.registry-certs-misnamed",
    ),
    Failure(
        name="hosts-file-invalid",
        mark=("host", "invalid type", "failed to "),
        pattern=r"(?:failed to (?:load|parse) host\w*(?: config| tree| file)?|invalid `host`)[^\n]{0,100}?: (?P<why>[^\n]{1,200})"
        r"|(?P<why_type>invalid type \w{1,20} for \"(?:ca|client|host|header|capabilities|skip_verify)\")",
        cause="a file hosts.toml for this registry is not valid: {why}",
        cure="correct it: below /etc/docker/certs.d or /etc/containerd/certs.d, in the folder with the registry's name",
    ),
)

_WAY = (
    Failure(
        name="token-not-fetched",
        mark=("token", "failed to authorize"),
        pattern=r"""(?x)
            failed\ to\ (?:fetch\ (?:anonymous|oauth)\ token|authorize:)[^\n]{0,400}(?P<why>
                  i/o\ timeout | connection\ refused | no\ such\ host | EOF
                | no\ route\ to\ host | network\ is\ unreachable
                | connection\ reset\ by\ peer
                | TLS\ handshake\ timeout
                | context\ deadline\ exceeded
                | server\ misbehaving
                | Temporary\ failure\ in\ name\ resolution
              )
        """,
        cause="the server that gives logins for the registry (for Docker Hub auth.docker.io) was not reached: {why}",
        cure="curl -sI https://auth.docker.io/token shows the same from the host: then it is the network, its DNS or a proxy",
        confirmed_by="image.registry-unreachable",
    ),
    Failure(
        name="token-refused",
        mark=("token", "failed to authorize"),
        pattern=r"failed to (?:fetch (?:anonymous|oauth) token|authorize:)[^\n]{0,400}(?P<code>40[13]) (?:Unauthorized|Forbidden)",
        cause="the registry gives no login for this image ({code}): the stored password or token is old, or has no right to it",
        cure="docker logout and docker login at that registry; a private image needs an account that may read it",
        confirmed_by="image.pull-denied",
    ),
    Failure(
        name="registry-status",
        mark="unexpected status",
        pattern=r"unexpected status(?: code)?(?: from \w{3,5} request to \S{1,300}:?)?[^\n]{0,300}?(?P<code>[45]\d\d)(?: (?P<words>[A-Z][\w ]{2,40}))?",
        cause="the registry, or a mirror or proxy before it, answered with {code} {words}: 401 and 403 refuse this login or address, "
        "404 knows no such image, 429 has had too many, 5xx is its own failure",
        cure="docker pull the same image shows whether a build differs; docker login for 401 and 403; docker info lists the mirrors in use",
        confirmed_by="image.registry-unreachable",
    ),
    Failure(
        name="registry-unanswered",
        mark="e",
        pattern=r"(?:https?://|registry|dial tcp)[^\n]{0,300}?(?P<why>net/http: TLS handshake timeout|Client\.Timeout exceeded while awaiting headers"
        r"|net/http: request canceled|i/o timeout|context deadline exceeded)",
        cause="the registry did not answer in time: a firewall, a missing proxy setting of the engine, or too large packets "
        "(MTU) on the way",
        cure="curl -sv https://HOST/v2/ on this host tries the same; the engine has its own proxy settings (docker info | grep -i proxy)",
        confirmed_by="image.registry-unreachable",
    ),
    Failure(
        name="registry-refused-connection",
        mark="e",
        pattern=r"(?:https?://|dial tcp)[^\n]{0,300}dial tcp (?P<address>[\d.:\[\]a-f]{3,60}): (?:connect: )?(?P<why>connection refused|no route to host|network is unreachable)",
        cause="nothing accepts connections of the registry at {address} ({why}): it is down, its port is another one, or "
        "a firewall rejects",
        cure="curl -sv http://{address}/v2/ on this host tries the same; correct the port in the image's name, or start the registry",
        confirmed_by="image.registry-unreachable",
    ),
    Failure(
        name="download-cut-off",
        mark="e",
        pattern=r"(?:failed to (?:copy|register layer|extract layer|do request|resolve)|error pulling|httpReadSeeker|https?://)[^\n]{0,400}(?:unexpected EOF|: EOF\b|connection reset by peer)",
        cause="the connection to the registry broke while a layer was on its way: network, proxy or registry",
        cure="repeat the pull, which goes on where it stopped; if it breaks each time, try without the proxy or the mirror",
        confirmed_by="image.pull-stalled",
    ),
)

_LAYERS = (
    Failure(
        name="layer-altered",
        mark=("e", "zstd"),
        pattern=r"""(?x)
              (?:filesystem\ layer|image\ config)\ verification\ failed\ for\ digest
            | unexpected\ commit\ digest
            | archive/tar:\ invalid\ tar\ header
            | gzip:\ invalid\ (?:header|checksum)
            | zstd:\ (?:invalid|magic) | flate:\ corrupt\ input
        """,
        cause="what arrived is not what the registry promised: a proxy, a mirror, the memory or the disk has altered it",
        cure="pull it again; if it fails each time, once without proxy and mirror, and look at dmesg for errors of disk and memory",
        confirmed_by="image.pull-altered",
    ),
    Failure(
        name="layer-ids-outside",
        mark="chown",
        pattern=r"""(?x)
            (?:
                  failed\ to\ (?:register|extract)\ layer[^\n]{0,300}lchown[ ]
                    (?P<path>/\S{1,300})
                | failed\ to\ Lchown\ "(?P<path_of>[^"\n]{1,300})"[^\n]{0,60}lchown[^\n:]{0,300}
              ):\ (?:invalid\ argument|operation\ not\ permitted)
        """,
        cause="a file of the image ({path}) belongs to an id that this host does not map: rootless, userns-remap or LXC "
        "with too small a range",
        cure="widen the range in /etc/subuid and /etc/subgid (65536 ids at least), and restart the engine",
        confirmed_by="image.ids-out-of-range",
    ),
    Failure(
        name="layer-id-unmapped",
        mark="cannot be mapped to a host id",
        pattern=r"container ID (?P<id>\d{1,10}) cannot be mapped to a host ID",
        cause="a file of the image belongs to the id {id}, which is outside the range that this engine maps",
        cure="widen the range of the engine's user in /etc/subuid and /etc/subgid beyond {id}, and restart the engine",
        confirmed_by="image.ids-out-of-range",
    ),
    Failure(
        name="layer-not-at-registry",
        mark="could not fetch content",
        pattern=r"could not fetch content (?:descriptor )?(?P<digest>\S{1,99})[^\n]{0,120} from remote",
        cause="the registry lists a layer ({digest}) that it does not have: a push was cut off, or its clean-up removed it",
        cure="push the image once more from where it was built; of a mirror, pull from the registry behind it",
        confirmed_by="image.pull-denied",
    ),
    Failure(
        name="layer-of-no-size",
        mark=("size of zero", "signature key", "layers from manifest"),
        pattern=r"reports content size of zero|layers from manifest don't match image configuration|missing signature key",
        cause="the image as the registry has it is not complete, or of a form that this engine no longer reads",
        cure="push the image once more from where it was built, with a current docker; or pull another tag",
    ),
    Failure(
        name="layer-unknown",
        mark="layer does not exist",
        pattern=r"layer does not exist",
        cause="the engine's record of the image names a layer that is not there: its store is damaged, or the layer was "
        "removed at that moment",
        cure="docker image rm the image and pull it again; where it has no other copy, build it again",
        confirmed_by="image.corrupt",
    ),
)

REGISTRY_ERRORS = (*_ANSWERS, *_TLS, *_WAY, *_LAYERS)
"""The first row that fits counts."""
