"""Sockets with deadlines, and HTTP over them, for SockJS, OAuth2 and the Manager API.

Nothing here depends on SockJS or on Keyyo.
"""
