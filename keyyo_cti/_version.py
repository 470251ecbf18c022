"""The version of the package, as setup.cfg has it too."""

__version__ = "1.0.0"
