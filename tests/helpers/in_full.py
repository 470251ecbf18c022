"""How much of a long test is run."""

import os


def in_full(number: int, always: int) -> int:
    """The whole number with KEYYO_TESTS_IN_FULL=1 in the environment, else what is always run."""
    return number if os.environ.get("KEYYO_TESTS_IN_FULL") else always
