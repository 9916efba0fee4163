"""Lines of real logs for the rows of `diagnose/programs/failures/network/forwarding.py`."""

from __future__ import annotations

LINES = {
    "origin-refused": "Forbidden (Origin checking failed - https://shop.example.com does not match any trusted origins.): /login/",
    "origin-of-portainer": (
        "2025/07/03 07:15AM ERR github.com/portainer/portainer/api/http/csrf/csrf.go:100 > Failed to validate Origin or "
        'Referer | error="origin invalid" forwarded= host=portainer origin=https://port.example.com:5433 '
        "referer=https://port.example.com:5433/ request_url=/api/auth trusted_origins=[] x_forwarded_proto=http"
    ),
    "origin-of-grafana": (
        'lvl=warn msg="Request Origin is not authorized" logger=live origin=http://nas001.local:3000 '
        "appUrl=http://localhost:3000/ allowedOrigins="
    ),
    "upgrade-missing": (
        "[W 2026-01-02 03:04:05.678 ServerApp] 400 GET /api/kernels/5f/channels (172.18.0.4): "
        'Can "Upgrade" only to "WebSocket".'
    ),
    "origin-null": (
        "Forbidden (Origin checking failed - null does not match any trusted origins.): /login/"
    ),
    "origin-of-https": (
        "HTTP Origin header (https://chat.example.com) didn't match request.base_url "
        "(http://chat.example.com)"
    ),
    "forwarded-for-untrusted": (
        "ValidationError: The 'X-Forwarded-For' header is set but the Express 'trust proxy' setting is "
        "false (default). See https://express-rate-limit.github.io/ERR_ERL_UNEXPECTED_X_FORWARDED_FOR/"
    ),
    "relay-refused": (
        "May 13 17:41:18 mx postfix/smtpd[160]: NOQUEUE: reject: RCPT from app.net[172.18.0.3]: 454 4.7.1 "
        "<user@example.org>: Relay access denied; from=<shop@example.com> to=<user@example.org> proto=ESMTP"
    ),
    "relay-refused-to-it": (
        "smtplib.SMTPRecipientsRefused: {'user@example.org': (554, b'5.7.1 <user@example.org>: Relay "
        "access denied')}"
    ),
    "name-with-underscore": (
        "Invalid HTTP_HOST header: 'posthog_web:8000'. The domain name provided is not valid according to "
        "RFC 1034/1035."
    ),
}
