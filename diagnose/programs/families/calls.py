"""Complaints about calls of other programs: names, ports, certificates."""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import NEVER, Failure

_MANY = "many programs"

_NAME = r"[\w-]+(?:\.[\w-]+)*"

CERTIFICATES = (
    Failure(
        name="certificate-expired",
        mark="expired",
        pattern=r"""(?x)
            x509:\ certificate\ has\ expired.{0,80}current\ time\ \S+\ is\ after
            | certificate\ (?:verify\ failed:\ certificate\ )?has\ expired(?!\ or\ is\ not)
            | \bCERT_HAS_EXPIRED\b
            | CertificateExpiredException
        """,
        cause="the certificate of the server that it calls, or one in its chain, has expired; or the "
        "host's clock is ahead",
        cure="renew the expired certificate on that server (openssl s_client -showcerts shows the dates), or "
        "correct the host's clock (date -u)",
        source="Go's, OpenSSL's, Node.js' and Java's own messages",
        look="certificate",
    ),
    Failure(
        name="certificate-name",
        mark=("certificate", "ip sans", "cert_altname", "subject alternative"),
        pattern=r"""(?x)
            certificate\ is\ (?:not\ )?valid\ for\ (?!\d)(?P<names>[^\"']{1,80}?),?\ (?:not[ ]
                |but\ )
            | certificate\ is\ not\ valid\ for\ (?:any|the)\ names?
            | hostname\ mismatch,\ certificate
            | ERR_TLS_CERT_ALTNAME_INVALID
            | No\ subject\ alternative\ (?:DNS\ )?names?\ (?:matching|present)
            | doesn't\ contain\ any\ IP\ SANs
        """,
        cause="the certificate of the server is issued for another name than the one that the "
        "program calls",
        cure="call the server by a name that its certificate has, or issue the certificate again",
        source="Go's, OpenSSL's, Node.js' and Java's own messages",
        look="certificate",
    ),
    Failure(
        name="certificate-file",
        mark=("pem", "unable to load certificate from file"),
        pattern=r"""(?x)
            \bPEM_read_bio | \bPEM\ (?:lib|routines)\b.{0,60}\bno\ start\ line\b
            | \bunable\ to\ load\ certificate\ from\ (?:PEM\ )?file\b
            | \bfailed\ to\ find\ any\ PEM\ data\b | \bno\ PEM-encoded\b
        """,
        cause="the file with the program's certificate or key is empty, or is not in PEM form",
        cure="put the certificate or the key into the file that the line names, in PEM form",
        source="OpenSSL's and Go's own messages",
        look="certificate",
    ),
    Failure(
        name="certificate-file-missing",
        mark=("bio", "cert"),
        pattern=r"\bBIO[_ ]new_file:no such file|\bBIO routines::?\w{0,30}:?no such file|\bMissing cert or key file\b",
        cause="the file with the program's certificate or key is not where its settings say",
        cure="mount the file, or correct its path in the settings (in .NET Kestrel's Certificates, as "
        "ASPNETCORE_Kestrel__Certificates__Default__Path)",
        source="isaacrlevin/presencelight#325; OpenSSL's and Mailu's own messages",
        look="certificate",
    ),
    Failure(
        name="authorities-empty",
        mark="trustanchors parameter must be non-empty",
        pattern=r"\btrustAnchors parameter must be non-empty\b",
        cause="the list of certificate authorities of Java (cacerts) is missing, empty, or covered by a mount, so that "
        "it trusts no TLS connection",
        cure="add the package ca-certificates-java to the image, or take away the mount over lib/security/cacerts or "
        "/etc/ssl/certs",
        source="Java's own message",
        look="certificate",
    ),
    Failure(
        name="certificate-password",
        mark="password",
        pattern=r"""(?x)
            \bspecified\ network\ password\ is\ not\ correct\b  # .NET
            | \bkeystore\ password\ was\ incorrect\b | \bKeystore\ was\ tampered\ with,\ or\ password\b  # Java
            | \b(?:mac\ verify\ (?:error|failure)|bad\ decrypt)\b.{0,80}\bpassword\b
            | \bcertificate\ data\ cannot\ be\ read\ with\ the\ provided\ password\b  # .NET 9
        """,
        cause="the password in the program's settings does not open the file with its certificate and key",
        cure="set the password that the file was made with, or make the file again",
        source=".NET's, Java's and OpenSSL's own messages",
        of_running=NEVER,
        look="certificate",
    ),
    Failure(
        name="certificate-key",
        mark="",
        pattern=r"""(?x)
            \bkey\ values\ mismatch\b | \binconsistencies\ between\ private\ key\ and\ certificate\b
            | \bcertificate\ and\ private\ key\ .{1,300}\ do\ not\ match\b | \bprivate\ key\ does\ not\ match\b
            | \bkey\ and\ (?:the\ )?cert(?:ificate)?(?:s|\(s\))?\ do\ not\ match\b
        """,
        cause="the program's certificate and its private key do not belong together",
        cure="put the certificate and the key of one pair into the files that the settings name",
        source="OpenSSL's and Go's own messages",
        of_running=NEVER,
        look="certificate",
    ),
    Failure(
        name="certificate-self-signed",
        mark="self",
        pattern=r"(?x) self[- ]signed\ certificate(?!\ in\b) | \bDEPTH_ZERO_SELF_SIGNED_CERT\b",
        cause="the server that the program calls shows a certificate that no authority has signed: "
        "the default one of a proxy, or one of its own",
        cure="have that server use the certificate that was issued for its name; where its own one is "
        "meant, give the program that very certificate to trust",
        source="OpenSSL's (error 18, not 19) and Node.js' own messages; traefik/traefik#5071",
        look="certificate",
    ),
    Failure(
        name="tls-older-client",
        mark="unsupported",
        pattern=r"(?:SSL_accept|client_hello|accept)\b.{0,160}unsupported protocol"
        r"|client offered only unsupported versions",
        cause="clients speak an older TLS than this program takes, such as TLS 1.0",
        cure="update the clients; or let the program's TLS library take their version: in openssl.cnf "
        "MinProtocol = TLSv1 and CipherString = DEFAULT@SECLEVEL=0",
        source="mailcow/mailcow-dockerized#5856; OpenSSL's and Go's own messages",
    ),
    Failure(
        name="tls-older-server",
        mark="unsupported",
        pattern=r"\bUNSUPPORTED_PROTOCOL\b"
        r"|(?:SSL_connect|server_hello|_client_version|_ssl\.c|state=error)\b.{0,160}unsupported protocol",
        cause="the server that the program calls speaks an older TLS than the program takes, such as "
        "TLS 1.0",
        cure="update that server; or let the program's TLS library take its version: in openssl.cnf "
        "MinProtocol = TLSv1 and CipherString = DEFAULT@SECLEVEL=0",
        source="sabnzbd/sabnzbd#994; OpenSSL's own messages",
    ),
    Failure(
        name="certificate-untrusted",
        mark=("certif", "pkix path", "unknown authority", "unknownissuer"),
        pattern=r"""(?x)
            signed\ by\ unknown\ authority
            | self[- ]signed\ certificate\ in\b
            | unable\ to\ get\ (?:local\ )?issuer\ certificate
            | unable\ to\ verify\ the\ first\ certificate
            | PKIX\ path\ building\ failed
            | unable\ to\ find\ valid\ certification\ path
            | certificate\ verify\ failed
            | UnknownIssuer
            | certificate\ (?:of\ \S{1,200}\ )?is\ not\ trusted
            | certificate\ of\ \S{1,200}\ doesn't\ have\ a\ known\ issuer
        """,
        cause="the program does not trust the certificate of the server that it calls: "
        "the image does not know the authority that issued it",
        cure="mount the authority's certificate and name it with SSL_CERT_FILE (Node.js: "
        "NODE_EXTRA_CA_CERTS, Python's requests: REQUESTS_CA_BUNDLE, Java: a trust store)",
        source="Go's, OpenSSL's, Node.js' and Java's own messages",
        look="certificate",
    ),
)

_UNRESOLVED = rf"""(?x)
        lookup\ (?P<host_go>{_NAME})\.?(?:\ on\ \S+)?:\ (?:no\ such\ host
            |server\ misbehaving|i/o\ timeout|Temporary)
        | getaddrinfo\ (?:ENOTFOUND|EAI_AGAIN)\ (?P<host_node>{_NAME})
        | UnknownHostException:\ (?P<host_java>{_NAME})
        | could\ not\ translate\ host\ name\ \\?\"(?P<host_postgres>{_NAME})\\?\"
        | Could\ not\ resolve\ host:\ (?P<host_curl>{_NAME})
        | getaddrinfo\ for\ (?P<host_php>{_NAME})\ failed
        | (?:failed|unable|could\ not|couldn't|cannot|can't)\ (?:to\ )?resolve\ (?:the\ )?
            (?:host(?:[ ]?name)?\ |address\ |name\ |server\ )?['\"`]?
            (?P<host_resolved>(?!host\b|name\b|address\b|the\b|config|dependen|module|place
                |import|plugin|(?:a|aaaa|mx|srv|txt)\ record){_NAME})['\"`]?(?=$|[:;,.)\ ])
        | \bunable\ to\ resolve\ host\ address\ ‘(?P<host_wget>{_NAME})’
        | \b(?:unknown|no\ such)\ (?:(?:mysql\ )?server\ )?host(?:\ name)?:?\ ['\"`]?
            (?P<host_unknown>(?!is\b|or\b){_NAME})
        | (?<![/\w.-])['\"`]?(?P<host_lost>(?!\d+:|rejected:){_NAME})['\"`]?(?::\d+)?:?\ host(?:[ ]?name)?\ not\ found
        | host(?:[ ]?name)?\ not\ found:?\ ['\"`](?P<host_quoted>{_NAME})['\"`]
        | no\ address\ associated\ with\ (?:host)?name:?\ ['\"`]?(?P<host_associated>{_NAME})
        | bad\ address\ '(?P<host_busybox>{_NAME})
        | Temporary\ failure\ resolving\ '(?P<host_apt>{_NAME})
        | (?<![/\w.-])(?P<host_nginx>{_NAME})\ could\ not\ be\ resolved\ \(\d+:\ Host\ not
        | (?<![\w./-])(?P<host_unresolved>{_NAME})/<unresolved>:\d+
        | \bBackend\ host\ '"(?P<host_varnish>{_NAME})"'\ could\ not\ be\ resolved
        | \b(?P<host_first>{_NAME}):\d+\b.{{0,20}}(?:Name\ or\ service\ not\ known
            |Temporary\ failure\ in\ name|No\ address\ associated)
"""
"""A name that no DNS server knows, as libraries of many languages say it."""
_OUTSIDE = LazyPattern(
    r"""
    ^(?!
        (?:
              api | app | backend | broker | cache | database | db | elasticsearch | kafka
            | mariadb | memcached | minio | mongo(?:db)? | mysql | nats | postgres(?:ql)?
            | queue | rabbitmq | redis | server | web | zookeeper
          )\.(?!com$|io$|net$|org$)[a-z]{2,24}$
      ).*\.(?!
        (?:
              arpa | cluster | corp | docker | home | internal | intranet | jitsi | lab
            | lan | local | localdomain | svc | test
          )$
      )[a-z]{2,24}$
    """,
    re.VERBOSE,
)
"""A name of the internet: its last label is none of those that networks give themselves.

`redis.app` is what a compose file calls a neighbour: a service with another word."""

_MULTICAST = LazyPattern(r"^[^.]+\.local$")
"""Names that devices give themselves at home. Longer ones are of a domain, as svc.cluster.local."""

_NO_SOURCE_FILE = r"(?![\w.-]{1,200}\.(?:c|cc|cpp|cs|ex|go|java|[cm]?js|lua|php|pl|py|rb|rs|tsx?):)"
"""A place in the code is no server."""

PEERS = (
    Failure(
        name="multicast-name-unresolved",
        mark=".local",
        pattern=_UNRESOLVED,
        about=_MULTICAST,
        cause="the program calls {host}, and names in .local are asked by multicast (mDNS), which does not leave a "
        "bridge network of Docker",
        cure="give the program the address of that device or a name in DNS, or run the container in the host's network",
        source="ESPHome's and Home Assistant's documentation",
    ),
    Failure(
        name="outside-name-unresolved",
        mark="",
        pattern=_UNRESOLVED,
        about=_OUTSIDE,
        cause="the program calls {host}, a name of the internet, and no DNS server that its container asks gives an "
        "address",
        cure="see whether the host itself finds it with getent hosts {host}: if not, the host's DNS or its way out is "
        "broken; else that of the containers is, and diagnose check dns says where",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="name-unresolved",
        mark="",
        pattern=_UNRESOLVED,
        cause="the program calls {host}, and that name does not resolve in its container",
        cure="see that a container of that name runs on the same network, "
        "or correct the name in the program's settings",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="some-name-unresolved",
        mark="",
        pattern=r"""(?x)
            Temporary\ failure\ in\ name\ resolution  # glibc, as Python repeats it
            | Name\ or\ service\ not\ known
            | nodename\ nor\ servname\ provided
            | bad\ address  # busybox
            | \bEAI_AGAIN\b(?!\ \w+\.)(?=\ undefined)
            | \bDNS\ resolution\ (?:is\ )?(?:currently\ )?(?:not\ available|unavailable)\b
        """,
        cause="the program calls a name that does not resolve in its container, and does not say which",
        cure="look for the name in the program's settings, and see that a container of that name runs "
        "on the same network",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="peer-refused",
        mark="refused",
        pattern=rf"""(?x)
            (?<![\w.:-]){_NO_SOURCE_FILE}(?P<peer>(?:[A-Za-z][\w.-]*|\d+(?:\.\d+){{3}}):\d{{2,5}})\b(?!:\d)
                .{{0,40}}connection\ refused
            | ECONNREFUSED\ (?P<peer_node>\S+:\d{{2,5}})
            | connection\ (?:to\ \S+\ )?refused.{{0,40}}?(?<![\w.:-])
                (?P<peer_behind>{_NO_SOURCE_FILE}[\w.-]+:\d{{2,5}})\b(?!:\d)
            | \bConnection\ to\ (?P<peer_jdbc>[\w.-]+:\d{{2,5}})\ refused\b
            | connection\ to\ server\ at\ \"(?P<peer_postgres>[^\"]+)\".{{0,60}}connection\ refused
            | connection\ refused[;\s]{{1,9}}(?:\(0x\w{{1,9}}/\d{{1,6}}\)\s{{1,9}})?
                is\ the\ server\ running\ on\ host\ \"(?P<peer_libpq>[\w.-]+)\"
            | /dev/tcp/(?P<peer_shell>[\w.-]+/\d{{2,5}}):\ connection\ refused
            | \bfailed\ to\ connect\ to\ (?P<peer_address>[A-Za-z][\w.-]{{0,120}})\ \([\d.:a-f]{{3,45}}\)
                :\ connection\ refused
            | \bfailed\ to\ connect\ to\ (?P<peer_curl>[A-Za-z][\w.-]{{0,120}})\ port\ \d{{1,5}}
                (?:\ after\ \d{{1,9}}\ ms)?:\ connection\ refused
            | \bHTTPS?ConnectionPool\(host='(?P<peer_python>[\w.-]+)'[^\n]{{0,400}}\bconnection\ refused
        """,
        cause="{peer} refuses the connection: nothing listens there yet",
        cure="see whether the program that is called runs, and on which port it listens",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="peer-unreached",
        mark="",
        pattern=r"""(?x)
            (?:can't|cannot|could\ not|unable\ to|failed\ to|couldn't)\ (?:reach|connect|contact
                |dial)\b(?:[^:]|:(?!\d)){0,60}?
                [`'\"(@/\ ](?P<peer>(?!localhost|127\.)[A-Za-z][\w.-]*):\d{2,5}\b(?!:\d)
            | \bFailed\ to\ connect\ to\ (?P<peer_curl>(?!localhost|127\.)[A-Za-z][\w.-]{0,120})\ port\ \d{1,5}
                (?:\ after\ \d{1,9}\ ms)?:\ Couldn't\ connect\ to\ server
            | (?<![\w./-])(?P<peer_named>[a-z][\w-]*-[\w-]+)\ is\ not\ reachable\b
            | ^(?P<peer_postgres>(?!localhost|127\.)[\w.-]{1,120}:\d{2,5})\ -\ no\ response$  # pg_isready
            | (?:\bis\ running\ |server\ )at\ `(?P<peer_prisma>(?!localhost|127\.)[\w.-]+)`:`\d+`
        """,
        cause="the program does not reach {peer}",
        cure="see whether the program that is called runs, is on the same network, and on which port "
        "it listens",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="database-unreachable",
        mark="",
        pattern=r"""(?x)
            # a database that has answered, or that is a file
            ^(?!.{0,600}\b(?:code:\ \d+,\ message:|sqlite|database\ file\b|lease\ database))
            (?!.{0,600}\b(?:apply|migrat\w{1,5}|schema)\b).*?  # and takes statements
            (?:failed|unable|could\ not|cannot|can't|couldn't)\ (?:to\ )?(?:obtain
                |get|connect|open|establish|acquire|reach).{0,30}(?<![/.])\b(?:jdbc
                |database|db|postgres\w*|mysql|mariadb|mongo\w*|redis
                |sql)\b(?!\ file)(?!.{0,200}\brequested\ by\ the\ login\b)
            | \bdatabase\ not\ reachable\b
            | \bCommunications\ link\ failure\b | \bError\ establishing\ a\ database\ connection\b
            | \bnetwork-related\ or\ instance-specific\ error\ occurred\ while\ establishing\ a\ connection
        """,
        cause="the program does not reach its database",
        cure="see that the database's container runs, is on the same network, and has the name that "
        "the program is given",
        source=_MANY,
        may_pass=True,
        look="database",
    ),
    Failure(
        name="no-peer-available",
        mark="",
        pattern=r"""(?x)
            \bno\ servers\ available\ for\ connection\b  # NATS
            | \bNoBrokersAvailable\b  # Kafka
            | \bAll\ host\(s\)\ tried\ for\ query\ failed\b  # Cassandra
        """,
        cause="the program reaches none of the servers that it is given",
        cure="compare the hosts and ports in its settings with the containers that run",
        source="NATS', Kafka's and Cassandra's clients' own messages",
        may_pass=True,
    ),
    Failure(
        name="some-peer-refused",
        mark="refused",
        # what follows a colon is the reason of the one that has answered
        pattern=r"^(?!.{0,400}(?:\d{1,3}\.){3}\d).{0,400}(?:connection refused(?!: [a-z])|ECONNREFUSED)",
        cause="what the program calls refuses the connection, and the line does not say what that is",
        cure="compare the hosts and ports in its settings with the containers that run",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="some-peer-silent",
        of_running=NEVER,
        mark="",
        pattern=r"\bcontext deadline exceeded\b(?! \(Client\.Timeout)|\bdial (?:tcp|udp): i/o timeout\b",
        cause="what the program calls at its start does not answer in time, and the line does not say what "
        "that is",
        cure="compare the hosts and ports in its settings with the containers that run; the lines above "
        "may name it",
        source="Go's own message; milvus-io/milvus#34319",
        may_pass=True,
    ),
    Failure(
        name="cluster-silent",
        mark="",
        pattern=r"unable to gossip with any|no seeds? (?:node )?(?:answered|reachable)",
        cause="no other node of the cluster answers",
        cure="see that the nodes that the settings name as seeds run and are on the same network",
        source="Cassandra's own message",
        may_pass=True,
    ),
    Failure(
        name="peer-timeout",
        mark="",
        pattern=r"""(?x)
            timeout\ occurred\ after\ waiting\ (?P<seconds>\d+)\ seconds\ for\ (?P<peer>\S+)
            | timed?\ ?out\ waiting\ for\ (?P<peer_waited>[\w.-]+:\d+)
            | \bdial\ tcp\ (?P<peer_dialled>[\w.:\[\]-]{1,100}:\d{2,5}):
                \ (?:connect:\ connection|i/o)\ time(?:d\ )?out\b
            | \bconnection\ (?:\#\d+\ )?to\ (?:\w+://)?(?P<peer_called>[\w.-]+:\d{2,5})\ timed\ out
        """,
        cause="what the program waits for did not answer in time: {peer}",
        cure="see that it runs, is on the same network, and has the name that the program is given",
        source=_MANY,
        may_pass=True,
    ),
)
