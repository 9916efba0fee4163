"""Complaints about certificates and TLS: of the servers that a program calls, and of its own."""

from diagnose.programs.failures.recognition import NEVER, Failure

CERTIFICATES = (
    Failure(
        name="certificate-expired",
        mark=("expired", "nottimevalid"),
        pattern=r"""(?x)
            x509:\ certificate\ has\ expired.{0,80}current\ time\ \S+\ is\ after
            | certificate\ (?:verify\ failed:\ certificate\ )?has\ expired(?!\ or\ is\ not)
            | \bCERT_HAS_EXPIRED\b
            | CertificateExpiredException | \binvalid\ peer\ certificate:\ Expired\b
            | \bcertificate\ chain:\ NotTimeValid\b
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
            certificate\ is\ (?:not\ )?valid\ for\ (?!\d{1,9}\ )(?P<names>[^\"']{1,80}?),?\ (?:not[ ]
                |but\ )
            | certificate\ is\ not\ valid\ for\ (?:any|the)\ names?
            | certificate\ not\ valid\ for\ name\b
            | \bhostname\ mismatch,\ certificate | \bcertificate\ verify\ failed\ \(hostname\ mismatch
            | \balternative\ certificate\ subject\ name\ matches\b
            | \bcertificate\b.{1,200}?\bdoes\ ?n['o]t\ match\ (?:any\ of\ the\ subject\ alternative\ names
                | requested\ host\ name | (?:target\ )?host\ ?name)\b
            | ERR_TLS_CERT_ALTNAME_INVALID
            | No\ subject\ alternative\ (?:DNS\ )?names?\ (?:matching|present)
            | doesn't\ contain\ any\ IP\ SANs | \bcertificate\ relies\ on\ legacy\ Common\ Name\ field\b
            | \bRemoteCertificateNameMismatch\b | \binvalid\ peer\ certificate:\ NotValidForName\b
            | \bPeer\ certificate\ CN=`[^']{1,200}'\ did\ not\ match\ expected\ CN\b
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
            | \[SSL\]\ PEM\ lib\b | \bfailed\ to\ find\ any\ PEM\ data\b | \bno\ PEM-encoded\b
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
        name="authorities-missing",
        mark=("certificate", "extra certs"),
        pattern=r"""(?x)
            \berror\ setting\ certificate\ (?:verify\ locations|file)\b
            | \bCould\ not\ find\ a\ suitable\ TLS\ CA\ certificate\ bundle\b
            | \bIgnoring\ extra\ certs\ from\ `[^`'\n]{1,200}[`'],\ load\ failed\b
        """,
        cause="the file with the authorities that the program trusts is not where the program or its settings look",
        cure="correct the path (SSL_CERT_FILE, CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS), mount the "
        "file, or add the package ca-certificates to the image",
        source="curl's (error 77), Requests' and Node.js' own messages",
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
            | UnknownIssuer | \bcertificate\ chain:\ (?:UntrustedRoot|PartialChain)\b
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
    Failure(
        name="certificate-refused",
        mark="remote error: tls: ",
        pattern=r"(?<!handshake error from )(?:^|[^\d\]]: |\")\bremote error: tls: (?:bad certificate"
        r"|certificate required|unknown certificate(?: authority)?|expired certificate)\b",
        cause="the server that the program calls refuses the program's own certificate: it gets none, or one of an "
        "authority that it does not know",
        cure="give the program a certificate of the authority that this server trusts, or let that server do without "
        "certificates of its clients",
        source="Go's own message",
        of_running=NEVER,
        look="certificate",
    ),
    Failure(
        name="tls-cut-off",
        mark=("secure tls connection", "violation of protocol", "tls handshake timeout"),
        pattern=r"\bsocket disconnected before secure TLS connection was established\b"
        r"|\bEOF occurred in violation of protocol\b|\bnet/http: TLS handshake timeout\b",
        cause="the server that the program calls breaks the TLS connection off while it begins: that port speaks no "
        "TLS, or a proxy or firewall between them cuts it",
        cure="compare the port and the scheme (http, https) in the address with what that server speaks there, and ask "
        "for the same address from the host",
        source="Node.js', Python's and Go's own messages",
        of_running=NEVER,
        may_pass=True,
    ),
)
