"""Random and hostile input to each decoder, reader and server.

The tests are short and repeatable. ``python -m tests.load.fuzz.long_run`` runs the same checks for
a given time.
"""
