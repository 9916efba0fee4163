"""What several tests of endpoints use."""

from __future__ import annotations

PING = b"HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nContent-Length: 2\r\n\r\nOK"
