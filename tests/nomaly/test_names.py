"""The public names: there, light, and of the modules that make them."""

import importlib
import subprocess
import sys
from typing import get_type_hints

import pytest

import nomaly
from tests.nomaly.test_python_page import PAGE


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, nomaly\n"
        "nomaly.Event, nomaly.Box, nomaly.NomalyError, nomaly.Naming\n"
        "heavy = {'torch', 'anomalib', 'cv2', 'av', 'openvino', 'timm'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_public_name_is_there_and_on_the_page():
    assert sorted(nomaly.__all__) == dir(nomaly) == sorted(nomaly._HOME)
    names = PAGE.read_text().partition("## Names")[2]
    for name, home in nomaly._HOME.items():
        assert getattr(nomaly, name) is getattr(importlib.import_module(home), name)
        assert name in names, f"{name} is missing in docs/python.md"


def test_functions_are_typed():
    for name in ("audit", "fit_detector", "load_detector", "load_namer", "read_frames"):
        hints = get_type_hints(getattr(nomaly, name))
        assert "return" in hints
        assert len(hints) >= 2


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'nomaly' has no attribute 'watch'"):
        nomaly.__getattr__("watch")
