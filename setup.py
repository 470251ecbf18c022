import sys

# For a person who runs this file. pip asks for the metadata, and refuses an old Python itself.
if sys.version_info < (3, 9) and not {"egg_info", "dist_info"} & set(sys.argv):
    sys.exit("keyyo-cti needs Python 3.9 or newer; this is Python %d.%d" % sys.version_info[:2])

from setuptools import Distribution, setup


class _WithoutRequirements(Distribution):
    """Metadata for an old Python.

    The pip of Python 3.8 looks for the requirements first. Otherwise it would complain of pages
    of their versions, instead of the Python.
    """

    def parse_config_files(self, *args, **kwargs):
        super().parse_config_files(*args, **kwargs)
        self.install_requires = []
        self.extras_require = {name: [] for name in self.extras_require}


setup(distclass=_WithoutRequirements if sys.version_info < (3, 9) else Distribution)
