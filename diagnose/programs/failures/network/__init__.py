"""Web servers, proxies, tunnels and name servers, and calls that are refused or lead nowhere."""
