"""Sites behind a proxy: the address, the path and the route that visitors take."""
