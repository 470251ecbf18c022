"""How to install an extra of this package. Every hint that says so comes from here."""


def install_hint(extra: str) -> str:
    """Return how to install an extra.

    The package is not on PyPI, where its name may become somebody else's. Until it is, the hint
    names the checkout.
    """
    return f'run pip install ".[{extra}]" in the checkout of keyyo-cti'
