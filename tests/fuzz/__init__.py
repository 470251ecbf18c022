"""Anything at all, at whoever has to take it.

The tests are short and always the same. ``python -m tests.fuzz.long_run`` goes on for as long as
one wants, with the same checks.
"""
