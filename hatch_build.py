"""Compiles the machine when a wheel is built or xortrain is installed in place; without a compiler all else goes on."""

import importlib.util
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

FOLDER = "xortrain/machine"


class MachineHook(BuildHookInterface):  # type: ignore[type-arg]
    """An editable install gets the libraries in the source folder, a wheel in itself, with the platform in its name."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            self._compile(Path(self.root, FOLDER))
            return
        self.folder = TemporaryDirectory(ignore_cleanup_errors=True)
        built = self._compile(Path(self.folder.name))
        if built:
            build_data["force_include"] |= {str(path): f"{FOLDER}/{path.name}" for path in built}
            build_data["pure_python"] = False
            others = ("manylinux", "musllinux")  # promises about other systems, which nothing here checks
            here = next(tag for tag in platform_tags() if not tag.startswith(others))
            build_data["tag"] = f"py3-none-{here}"

    def _compile(self, into: Path) -> list[Path]:
        """The libraries that could be compiled into a folder; nothing that goes wrong ends an installation."""
        try:
            return list(_build_module(Path(self.root, FOLDER)).compile_sets(into, self.app.display_info))
        except Exception as error:
            self.app.display_info(f"The machine is not built: {type(error).__name__}: {error}")
            return []

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self.folder.cleanup()


def _build_module(machine: Path) -> ModuleType:
    """`xortrain.machine.build` without its package, which needs what is not installed yet."""
    spec = importlib.util.spec_from_file_location("xortrain_machine_build", machine / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
