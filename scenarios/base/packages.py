"""Data that other packages carry, read without importing them: some take seconds to import."""

import ast
import importlib.util
from pathlib import Path

from novic.extras import how_to_reinstall, missing_package
from scenarios.dictionary import DictionaryError

_NAME_LISTS = frozenset({"_IMAGENET_CATEGORIES", "_COCO_CATEGORIES", "_VOC_CATEGORIES"})


def package_file(package: str, inside: str) -> Path:
    """Where a file of an installed package lies.

    Raises:
        DictionaryError: If the package is not installed or lacks the file.
    """
    found = importlib.util.find_spec(package)
    if found is None:
        raise missing_package(package, "the base dictionary")
    for folder in found.submodule_search_locations or ():
        if (file := Path(folder) / inside).is_file():
            return file
    raise DictionaryError(
        f"the base dictionary needs {inside} of the Python package {package}, which does not carry "
        f"it; run: {how_to_reinstall(package)}"
    )


def imagenet_synsets(name: str) -> frozenset[int]:
    """WordNet 3.0 offsets of ImageNet's classes, from a list of timm such as imagenet_synsets."""
    lines = package_file("timm", f"data/_info/{name}.txt").read_text("utf-8").split()
    return frozenset(int(line.removeprefix("n")) for line in lines)


def class_names() -> list[str]:
    """Names of the classes of ImageNet-1k, COCO and Pascal VOC as torchvision tells them."""
    source = package_file("torchvision", "models/_meta.py").read_text("utf-8")
    names: list[str] = []
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) in _NAME_LISTS:
            names += ast.literal_eval(statement.value)
    return names
