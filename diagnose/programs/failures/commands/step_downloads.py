"""Errors of the tools of a build step where a download fails."""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Failure

_OF_BUILDER = LazyPattern(r"failed to (?:solve|authorize|resolve|do request|fetch \w{1,20} token)")
"""The builder itself fetches a base image, outside of the containers of the steps."""

_WAY = (
    Failure(
        name="step-centos-mirrors-gone",
        mark="mirrorlist",
        pattern=r"No URLs in mirrorlist|mirrorlist\.centos\.org",
        cause="the base image is a CentOS release that has ended, whose mirrors are switched off",
        cure="build on a release that is supported (almalinux, rockylinux, centos:stream9); for a while, before yum: "
        "sed -i -e s/mirrorlist/#mirrorlist/ -e 's|#baseurl=http://mirror|baseurl=http://vault|' /etc/yum.repos.d/CentOS-*",
    ),
    Failure(
        name="step-name-unresolved",
        mark=(
            "temporary failure ",
            "could not resolve",
            "eai_again",
            "dns lookup error",
            "temporary error (try again",
            "unknown host ",
            "lookup ",
        ),
        pattern=r"""(?x)
              Temporary\ failure\ resolving\ '(?P<host>[\w.-]{1,200})'
            | Could\ not\ resolve[ ]
                (?:host:?\ '?(?P<host_curl>[\w.-]{0,200}[\w-])|'(?P<host_apt>[\w.-]{1,200})')
            | EAI_AGAIN\ (?P<host_npm>[\w.-]{1,200})
            | https?://(?P<host_apk>[\w.-]{1,200})/\S{0,200}:[ ]
                (?:DNS\ lookup\ error|temporary\ error\ \(try\ again\ later\))
            | Unknown\ host\ (?P<host_java>[\w.-]{1,200})
            | dial\ tcp:\ lookup\ (?P<host_go>[\w.-]{1,200})(?:\ on\ [\w.:\[\]]{1,60})?:[ ]
                (?:no\ such\ host|server\ misbehaving|i/o\ timeout|read\ udp)
        """,
        cause="the step cannot resolve the name {host}: DNS does not work inside containers of this host, or the name does not exist",
        cure="docker run --rm alpine nslookup {host} says which; if DNS fails, diagnose check 'dns.*' names the cause, and "
        "docker build --network=host builds with the host's own network meanwhile",
        source="moby/moby#38243",
        confirmed_by="dns.upstream-unreachable",
        unlike=_OF_BUILDER,
    ),
    Failure(
        name="step-names-unresolved",
        mark=("temporary failure in name resolution", "eai_again"),
        pattern=r"Temporary failure in name resolution|EAI_AGAIN",
        cause="the step cannot resolve names: DNS does not work inside containers of this host",
        cure="diagnose check 'dns.*' names the cause; docker build --network=host builds with the host's own network meanwhile",
        source="moby/moby#38243",
        confirmed_by="dns.upstream-unreachable",
        unlike=_OF_BUILDER,
    ),
    Failure(
        name="step-server-silent",
        mark=(
            "timed out",
            "etimedout",
            "i/o timeout",
            "connection refused",
            "econnrefused",
            "network is unreachable",
        ),
        pattern=r"""(?x)
            (?:
                  Failed\ to\ fetch | unable\ to\ access | Failed\ to\ connect\ to
                | request\ to | fetch | dial\ tcp | Get\ "
              )[^\n]{0,300}?(?P<why>
                  [Cc]onnection\ timed\ out | ETIMEDOUT | i/o\ timeout
                | [Cc]onnection\ refused | ECONNREFUSED | Network\ is\ unreachable
              )
        """,
        cause="the step does not reach a server from which it downloads ({why})",
        cure="docker run --rm alpine wget -T5 -O /dev/null URL tries it; behind a proxy, give the build its address: "
        "--build-arg http_proxy=... --build-arg https_proxy=... (proxies in daemon.json are not for builds)",
        unlike=_OF_BUILDER,
    ),
    Failure(
        name="step-certificate-unknown",
        mark=("certificate", "cert_", "pkix path"),
        pattern=r"SSL certificate problem: |CERTIFICATE_VERIFY_FAILED|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
        r"|PKIX path building failed|unable to get local issuer certificate",
        cause="the image does not know the authority of the server's certificate: a proxy of the company that opens TLS, or no list of "
        "authorities in the image",
        cure="install ca-certificates; for a company's proxy, COPY its certificate to /usr/local/share/ca-certificates and run update-ca-certificates "
        "in a step before (Node: NODE_EXTRA_CA_CERTS)",
    ),
)

_RIGHT = (
    Failure(
        name="step-git-login",
        mark="could not read ",
        pattern=r"could not read (?:Username|Password) for '(?P<url>https?://[\w./-]{1,200})'",
        cause="the step fetches a private repository, {url}, and has no login for it",
        cure="hand the login to the build as a secret: docker build --secret id=git,src=FILE, and RUN --mount=type=secret,id=git; "
        "or fetch it outside and COPY it",
    ),
    Failure(
        name="step-git-key",
        mark=("permission denied (publickey", "host key verification"),
        pattern=r"Permission denied \(publickey|Host key verification failed",
        cause="the step fetches a repository by ssh, and has no key, or does not know the server's key",
        cure="docker build --ssh default, with RUN --mount=type=ssh before the command, and ssh-keyscan HOST >> ~/.ssh/known_hosts in a step before",
    ),
    Failure(
        name="step-registry-login",
        mark=("401", "403", "e401", "e403"),
        pattern=r"npm (?:ERR!|error) (?:code E40[13]|40[13] (?:Unauthorized|Forbidden) - )"
        r"|(?:status code 401|401 Client Error|error NU1301[^\n]{0,200}401)",
        cause="the package server refuses the build's login: none was given, or its token has expired",
        cure="hand the login to the build as a secret (npm: RUN --mount=type=secret,id=npmrc,target=/root/.npmrc), and never by COPY or ARG",
    ),
)

_PACKAGES = (
    Failure(
        name="step-apk-unknown",
        mark="no such package",
        pattern=r"(?P<package>[\w.+-]{1,80}) \(no such package\)",
        cause="Alpine's release in this image has no package {package}: the package has another name there, or is in the repository community",
        cure="look the name up at pkgs.alpinelinux.org for the image's release; python2, for example, left Alpine with 3.16",
    ),
    Failure(
        name="step-apt-no-room",
        mark="enough free space in",
        pattern=r"You don't have enough free space in (?P<folder>/\S{1,100}?)\.?(?:\s|$)",
        cause="the disk on which the build runs, that of the engine's data root, is full",
        cure="docker builder prune and docker image prune free what no build and no container uses; df -h /var/lib/docker shows the rest",
        confirmed_by="storage.disk-full",
    ),
    Failure(
        name="step-pip-unmatched",
        mark=("no matching distribution", "satisfies the requirement"),
        pattern=r"No matching distribution found for (?P<package>[\w.+\[\]-]{1,80}(?:[=<>~!]=?[\w.*]{1,30})?)"
        r"|satisfies the requirement (?P<package_asked>[\w.+\[\]-]{1,80}(?:[=<>~!]=?[\w.*]{1,30})?)",
        cause="pip finds no release of {package} for the image's Python and processor: the version does not exist, is not built for them (musl of "
        "Alpine, arm64), or the package index is not reached",
        cure="the list behind 'from versions' shows what there is: none at all means no way to "
        "the index; else take one of them, another tag of python, or a -slim image instead "
        "of -alpine",
    ),
    Failure(
        name="step-npm-unknown",
        mark="404",
        pattern=r"npm (?:ERR!|error) 404 +(?:Not Found - GET )?'?(?P<package>[^\s']{1,200})",
        cause="the package server has no {package}: the name or version is wrong, or a private package is asked of the public server",
        cure="correct it in package.json; for private packages the build needs .npmrc with the server of that scope",
    ),
    Failure(
        name="step-nuget-unreached",
        mark="nu1301",
        pattern=r"NU1301: Unable to load the service index for source (?P<source>https?://[\w.:/-]{1,200}?)\.?(?:\s|$)",
        cause="dotnet does not reach the package server {source}: no way, no login, or a certificate that it does not know",
        cure="docker run --rm alpine wget -O /dev/null {source} tries the way; private servers need nuget.config with a login as a secret",
    ),
)

DOWNLOADS = (*_WAY, *_RIGHT, *_PACKAGES)
"""The first row that fits counts."""
