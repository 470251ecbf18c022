"""Numbers, times and HTML for people. Pure."""
