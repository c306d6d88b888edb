import json
from pathlib import Path

import pytest

from novic.gencfg import GenConfig, GenConfigError, parse_gencfg

PARITY = Path(__file__).parents[1] / "data" / "parity"
RECORDED = json.loads((PARITY / "expected_small.json").read_text())
VERDICTS = json.loads((PARITY / "expected_extra_small.json").read_text())["gencfg_parse"]


@pytest.mark.parametrize("text", RECORDED)
def test_upstream_names_come_back_unchanged(text: str):
    assert parse_gencfg(text).name == text


def test_whatever_upstream_refuses_for_its_meaning_is_refused_here():
    refused = [text for text, verdict in VERDICTS.items() if verdict.startswith("ValueError")]
    assert len(refused) == 9
    for text in refused:
        with pytest.raises(GenConfigError):
            parse_gencfg(text)


def test_whatever_upstream_takes_or_chokes_on_for_its_spelling_is_read():
    taken = [text for text, verdict in VERDICTS.items() if not verdict.startswith("ValueError")]
    assert len(taken) == 7
    for text in taken:
        config = parse_gencfg(text)
        assert parse_gencfg(config.name) == config


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("beam_k10", "beam_k10_vnone_gp_t1_a0"),
        ("greedy", "greedy_k1_vnone_gp_t1_a0"),
        ("gr", "beam_k10_vnone_gr_t1_a0"),
        ("a0.5_t2.0_gn_k3", "beam_k3_vnone_gn_t2_a0.5"),
        ("gp_all_k5_vtgt.5", "all_k5_vtgt0.5_gp_t1_a0"),
        ("beam_k10_vnone_gp_t1_a-0", "beam_k10_vnone_gp_t1_a0"),
        ("beam_t0.3333", "beam_k10_vnone_gp_t0.3333_a0"),
        ("beam_t1e-4", "beam_k10_vnone_gp_t0.0001_a0"),
    ],
)
def test_parts_come_in_any_order_and_may_be_missing(text: str, name: str):
    assert parse_gencfg(text).name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("beam_k0", "k0: at least 1 noun"),
        ("beam_k-3", "k-3: at least 1"),
        ("beam_t0", "t0: the temperature must be above 0"),
        ("beam_tnan", "cannot read the part 'tnan'"),
        ("beam_a1x", "'1x' in the part 'a1x' is no number"),
        ("beam_k3_k4", "topk is given twice, then as 'k4'"),
        ("beam_greedy", "method is given twice"),
        ("vnone_vtok1", "prior is given twice"),
        ("all_gn", "'all' scores given nouns"),
        ("greedy_k2", "greedy search keeps one noun"),
        ("greedy_vtok1", "greedy search takes no prior"),
        ("topk_k1", "cannot read the part 'topk'"),
        ("beam__gp", "cannot read the part ''"),
        ("", "cannot read the part ''"),
        ("beam_vtgt", "cannot read the part 'vtgt'"),
        ("beam_vtgtx", "'x' in the part 'vtgtx' is no number"),
    ],
)
def test_what_cannot_be_meant_is_named(text: str, message: str):
    with pytest.raises(GenConfigError, match=message):
        parse_gencfg(text)


def test_the_standard_strategy_is_upstreams():
    assert GenConfig().name == "beam_k10_vnone_gp_t1_a0"
