"""``python -m keyyo_cti`` is the command ``keyyo-cti``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
