"""What Traefik and Caddy are to serve: routes by labels, variables and Caddyfiles."""
