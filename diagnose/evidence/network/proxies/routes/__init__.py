"""Routes of Traefik and Caddy, by labels, variables and Caddyfiles."""
