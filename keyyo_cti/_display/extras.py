"""The hint for installing an extra of this package."""


def install_hint(extra: str) -> str:
    """Return the hint for installing an extra.

    The hint names the checkout, because the package is not on PyPI, where another owner may take
    its name.
    """
    return f'run pip install ".[{extra}]" in the checkout of keyyo-cti'
