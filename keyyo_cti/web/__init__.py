"""Keyyo's web services, OAuth2 and the Manager API, by blocking.

Nothing here knows of CTI, of callbacks or of threads of the SDK's own, but for the one that sees
a refresh to its end. ``keyyo_cti.oauth2``, ``account`` and ``manager`` are what a program uses.
"""
