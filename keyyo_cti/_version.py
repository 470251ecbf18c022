"""The version of the package, as setup.cfg has it too."""

__version__ = "0.1.0"
