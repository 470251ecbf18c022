"""Sockets with deadlines, and HTTP over them, for SockJS, OAuth2 and the Manager API.

Nothing here knows of SockJS or of Keyyo.
"""
