"""What Traefik and Caddy should serve: routes by labels, variables and Caddyfiles."""
