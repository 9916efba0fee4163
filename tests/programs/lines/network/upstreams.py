"""Lines of real logs for the rows of `diagnose/programs/failures/network/upstreams.py`."""

from __future__ import annotations

LINES = {
    "nginx-server-name": (
        "2026/11/30 04:49:51 [crit] 6#6: *125 SSL_do_handshake() failed (SSL: error:0A000458:SSL "
        "routines::tlsv1 unrecognized name:SSL alert number 112) while SSL handshaking to upstream, "
        'client: 192.0.2.1, server: cloud.lab.test, request: "GET / HTTP/1.1"'
    ),
    "tunnel-server-name": (
        '2026-11-30T04:52:10Z ERR  error="Unable to reach the origin service. The service may be down '
        "or it may not be responding to traffic from cloudflared: remote error: tls: unrecognized "
        'name" connIndex=0 event=1 ingressRule=0 originService=https://proxy:8443'
    ),
    "nginx-grpc-by-http": (
        "2026/11/30 04:50:24 [error] 8#8: *119 upstream sent no valid HTTP/1.0 header while reading "
        'response header from upstream, client: 192.0.2.1, server: , request: "POST '
        '/foo.User/GetUser HTTP/2.0", upstream: "http://172.18.0.2:50051/foo.User/GetUser"'
    ),
    "nginx-http-by-grpc": (
        "2019/07/16 00:29:18 [error] 135#135: *1745 upstream sent too large http2 frame: 4740180 while "
        'reading response header from upstream, client: 10.240.0.5, request: "GET /campaign HTTP/2.0"'
    ),
    "apache-target-slash": (
        "[Mon Nov 30 04:50:18.000000 2026] [proxy:error] [pid 8:tid 140] [client 192.0.2.1:60442] "
        "AH00898: DNS lookup failure for: app:3000images returned by /images/logo.png"
    ),
    "apache-scheme-module": (
        "[Thu Dec 03 05:04:23.350371 2026] [proxy:warn] [pid 7:tid 13] [client 192.0.2.1:38776] "
        "AH01144: No protocol handler was valid for the URL / (scheme 'http'). If you are using a "
        "DSO version of mod_proxy, make sure the proxy submodules are included in the configuration "
        "using LoadModule."
    ),
    "apache-tls-upstream": (
        "[Thu Dec 03 05:04:23.350371 2026] [ssl:error] [pid 7:tid 13] [remote 192.0.2.80:443] "
        "AH01961: SSL Proxy requested for shop.lab.test:80 but not enabled [Hint: SSLProxyEngine]"
    ),
    "nginx-resolver-refused": (
        "2026/11/30 04:54:21 [error] 8#8: send() failed (111: Connection refused) while resolving, "
        "resolver: 127.0.0.1:53"
    ),
}
