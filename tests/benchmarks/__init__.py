"""Benchmarks, run by hand: the SDK beside the bare libraries, in pairs, in one run.

``python -m tests.benchmarks`` runs them all; see ``__main__``.
"""
