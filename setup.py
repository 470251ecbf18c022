import sys

# For a person who runs this file. pip asks for the metadata first, and refuses an old Python
# itself, in one line.
if sys.version_info < (3, 9) and not {"egg_info", "dist_info"} & set(sys.argv):
    sys.exit("keyyo-cti needs Python 3.9 or newer; this is Python %d.%d" % sys.version_info[:2])

from setuptools import setup

setup()
