"""Reverse proxies and web servers, in containers and on the host.

Rooms:

- `nginx/`  what nginx passes on, and what users meet where it tells too little
- `pages/`  what web servers answer: first pages, errors, redirects
- `routes/`  what Traefik and Caddy should serve
"""
