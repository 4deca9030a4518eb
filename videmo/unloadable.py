"""Packages that are installed but do not load, set aside: nothing here needs them, but the libraries below would end.

torchmetrics loads torchvision wherever it is installed, as transformers does; one for another torch, or for another
build of it, is an error at once. Set aside, it is not there for them, and `videmo doctor` says why. Commands that need
none of these libraries do not wait for it.
"""

import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from traceback import walk_tb

from videmo.errors import in_words

REASONS: dict[str, str] = {}
"""Why a package that was tried does not load."""


class SetAsideBefore(MetaPathFinder):
    """Finds nothing, but sets a package aside when the first of those that would load it is about to be loaded.

    Args:
        package: What is set aside.
        loaders: Those that would load it.
    """

    def __init__(self, package: str, *loaders: str) -> None:
        self.package, self.loaders = package, loaders

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in self.loaders:
            sys.meta_path.remove(self)
            set_aside(self.package)


def set_aside(package: str) -> None:
    """Load a package where it is installed; where that ends in an error, hide it from all that is loaded later."""
    if find_spec(package) is None:
        return
    try:
        import_module(package)
    except Exception as error:  # libraries for another torch fail in many ways
        REASONS[package] = in_words(error)
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
        sys.modules[package] = None  # pyrefly: ignore[unsupported-operation]  (Python's word for "not there")
        _hide_version(package)


def package_of(error: Exception) -> str:
    """Which package does not load, where that is why an import ended in an error."""
    if isinstance(error, ImportError) and error.name:
        return error.name.partition(".")[0]
    *_, (frame, _) = walk_tb(error.__traceback__)
    return frame.f_globals["__name__"].partition(".")[0]


def _hide_version(package: str) -> None:
    """Lightning and torchmetrics do not ask Python but the package's metadata, by this function."""
    from lightning_utilities.core import imports

    known = imports._version

    def version(distribution_name: str) -> str:
        if distribution_name == package:
            raise PackageNotFoundError(distribution_name)
        return known(distribution_name)

    imports._version = version
