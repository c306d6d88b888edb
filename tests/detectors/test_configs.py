import pytest
from pydantic import ValidationError

from detectors.configs import (
    CONFIGS,
    AnomalibConfig,
    DetectorConfigError,
    PadimConfig,
    parse_config,
    read_config,
)
from detectors.kinds import KINDS, NICKNAMES


def test_words_and_values_give_the_same_settings():
    words = parse_config("padim", {"passes": "320", "shrinkage": "2e-1", "backbone": "lite2"})
    values = read_config({"kind": "padim", "passes": 320, "shrinkage": 0.2, "backbone": "lite2"})
    assert words == values == PadimConfig(passes=320, shrinkage=0.2, backbone="lite2")


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_detector_has_settings_of_its_own_that_need_no_words(kind: str):
    config = parse_config(kind, {})
    assert type(config) is CONFIGS[kind]
    assert read_config(config.model_dump()) == config


def test_settings_are_never_changed():
    with pytest.raises(ValidationError, match="frozen"):
        PadimConfig().passes = 3


@pytest.mark.parametrize("name", ["lite0", "lite2", "dinov2-s", "timm:resnet18", "local-dir:/a/b"])
def test_every_backbone_can_be_asked_for(name: str):
    assert PadimConfig(backbone=name).backbone == name


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"passes": "many"}, "^padim's setting passes=many should be a valid integer"),
        ({"passes": "0"}, "^padim's setting passes=0 should be greater than or equal to 1$"),
        ({"held_out": "1"}, "^padim's setting held_out=1 should be less than 1$"),
        ({"blur": "nan"}, "^padim's setting blur=nan should be a finite number$"),
        (
            {"backbone": "resnet"},
            "^padim's setting backbone=resnet should be lite0, lite2, dinov2-s, timm:NAME or",
        ),
        ({"wings": "2"}, "^padim has no setting 'wings'; there are longer_side, blur, "),
    ],
    ids=str,
)
def test_a_wrong_setting_is_one_sentence(settings: dict[str, str], reason: str):
    with pytest.raises(DetectorConfigError, match=reason):
        parse_config("padim", settings)


def test_numbers_in_quotes_are_no_numbers_in_files():
    with pytest.raises(DetectorConfigError, match="passes=3 should be a valid integer"):
        read_config({"kind": "padim", "passes": "3"})


def test_an_unknown_name_lists_the_known():
    with pytest.raises(DetectorConfigError, match="unknown detector 'magic'; there are padim"):
        parse_config("magic", {})
    with pytest.raises(
        DetectorConfigError, match="'kind' must say which detector; there are padim"
    ):
        read_config({"passes": 3})


def test_every_detector_is_listed_in_a_line():
    assert set(KINDS) == set(CONFIGS)
    assert all(len(line) <= 62 for line in KINDS.values())


@pytest.mark.parametrize("kind", ["anomalib:Stfpm", *NICKNAMES])
def test_a_model_of_anomalib_is_asked_for_by_its_name(kind: str):
    model = kind.removeprefix("anomalib:")
    assert parse_config(kind, {"steps": "7"}) == AnomalibConfig(model=model, steps=7)
    assert read_config({"kind": kind, "steps": 7}) == AnomalibConfig(model=model, steps=7)


def test_a_wrong_setting_of_a_model_of_anomalib_is_one_sentence():
    with pytest.raises(DetectorConfigError, match=r"^anomalib's setting steps=0 should be greater"):
        parse_config("anomalib:Stfpm", {"steps": "0"})
    with pytest.raises(
        DetectorConfigError, match=r"^anomalib's setting model=a/b string should match"
    ):
        parse_config("anomalib:a/b", {})
    with pytest.raises(DetectorConfigError, match="unknown detector 'magic'; there are padim, dia"):
        parse_config("magic:Stfpm", {})
