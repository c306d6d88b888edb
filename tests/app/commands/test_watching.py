"""What a detector that learns is made of, from the command line and the scenario."""

from pathlib import Path

import pytest

from app.commands.looking_options import Learning
from app.errors import UsageError
from detectors.configs import DetectorConfigError, PadimConfig
from tests.app.short_watch import run_nomaly


def test_without_options_the_default_learns():
    assert Learning().config() == PadimConfig()


def test_settings_of_the_command_come_on_top_of_the_scenarios():
    site = PadimConfig(channels=40, passes=200)
    assert Learning().config(site=site) == site
    one = Learning(detector_setting=["passes=320"]).config(site=site)
    assert one == PadimConfig(channels=40, passes=320)


def test_a_kind_that_is_named_starts_from_its_own_settings():
    named = Learning("padim", ["passes=320"]).config(site=PadimConfig(channels=40))
    assert named == PadimConfig(passes=320)


@pytest.mark.parametrize("word", ["passes", "passes=", "=3"])
def test_a_setting_has_a_name_and_a_value(word: str):
    with pytest.raises(UsageError, match=f"--detector-setting {word}: write NAME=VALUE"):
        Learning(detector_setting=[word]).config()


def test_a_wrong_setting_is_told_by_its_name():
    with pytest.raises(DetectorConfigError, match="padim has no setting 'wings'; there are"):
        Learning(detector_setting=["wings=2"]).config()


@pytest.mark.parametrize("learning", [Learning("padim"), Learning(None, ["passes=320"])], ids=str)
def test_what_has_learned_takes_no_settings(learning: Learning):
    with pytest.raises(UsageError, match="hall-detector has learned already"):
        learning.config(fitted=Path("hall-detector"))


def test_settings_are_checked_before_anything_is_looked_at(tmp_path: Path):
    (tmp_path / "broken.mp4").write_text("no video")
    words = ("fit", tmp_path / "broken.mp4", "--out", tmp_path / "view")
    done = run_nomaly(*words, "--detector-setting", "passes=many")
    assert done.returncode == 2
    assert done.stderr.startswith("nomaly: padim's setting passes=many should be a valid integer")
