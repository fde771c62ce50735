"""Configurations check themselves; a wrong field is answered with the right ones."""

import pytest

from models.networks.config import NetworkConfig
from models.tasks import TASKS, target_names
from tfx_pipeline.config import LAPTOP_SHARES, PRESETS, ConfigError, configuration, paper


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_sound_and_read_back(preset):
    config = configuration(preset, [])
    assert config.name == preset
    assert NetworkConfig(**config.network_fields()) == config.network


def test_the_paper_measures_by_gradient_with_the_targets_own_decoder_and_a_laptop_in_closed_form():
    wide, small = paper().network, configuration("laptop", []).network
    assert (
        wide.learner,
        wide.transfer_widths,
        wide.transfer_epochs,
        wide.transfer_batch,
        wide.transfer_rate,
        wide.vector_rate,
    ) == (
        "gradient",
        (),
        30,
        32,
        1e-4,
        1e-4,
    )
    assert (wide.edge_epochs, configuration("smoke", []).network.edge_epochs) == (30, 0)
    # a head that is learned in seconds has no convolutions before it (docs/DEVIATIONS.md)
    assert wide.transfer_function
    for preset in ("laptop", "smoke"):
        assert not configuration(preset, []).network.transfer_function
    assert (
        small.learner == "closed_form" and small.calibration_targets > 1 and small.policy_epochs > 0
    )


def test_smaller_presets_are_replacements_on_the_paper():
    assert configuration("laptop", []).network.transfer_split == paper().network.transfer_split
    assert (
        configuration("smoke", []).random_policies
        < configuration("laptop", []).random_policies
        == paper().random_policies
    )


def test_fields_of_both_levels_can_be_set():
    config = configuration(
        "smoke", ["default_budget=2", "steps=7", "learning_rate=1", "budgets=[1,2]", "seed=5"]
    )
    assert (
        config.default_budget,
        config.network.steps,
        config.network.learning_rate,
        config.budgets,
        config.network.seed,
    ) == (2, 7, 1.0, (1, 2), 5)


@pytest.mark.parametrize(
    "change, message",
    [
        ("budgt=3", "unknown field 'budgt'; did you mean budgets"),
        ("default_budget=99", "default_budget 99 is one of budgets"),
        ("budgets=[0,4]", "between 1 and 26"),
        ("regimes=24,48", r"a list of whole numbers such as \[8\], got '24,48'"),
        ("steps=many", "steps is int"),
        ("steps", "FIELD=VALUE"),
        ("orders=[1,2,3]", "transfer_order 2"),
        ("encoder=vgg", "encoder is one of"),
        ("transfer_split=test", "transfer_split is one of val, train; got 'test'"),
        ("seed=-1", "seed is .*at least 0"),
        ("learning_rate=-1", "learning_rate is a number above 0"),
        ("resamples=0", "resamples is at least 1"),
        ("random_policies=0", "random_policies is at least 1"),
        ("proxy_images=0", "proxy_images is at least 4"),
        ("replayed_records=0", "replayed_records is at least 1"),
        ("replays=0", "replays is at least 1"),
        ("orders=[0,2]", "orders are 1 source an edge or more"),
        ("checkpoint_seconds=-1", "checkpoint_seconds is a number of at least 0"),
        ("cache_bytes=-1", "cache_bytes is at least 0"),
        ("image_size=1000000", "image_size is a side of at most 4096"),
        ("margin=NaN", "margin a share above 0"),
        ("published=/nonexist", "published is a folder"),
        ("scratch_steps=0", "scratch_steps is at least 1: what labels save"),
        ("image_size=33", "image_size 33 is no side .*: 32 and 40"),
        ("image_size=37", "nearest that they do: 32 and 40"),
        ("shares=0.5", r'such as \[\["depth_zbuffer", 2\]\], got 0.5'),
        ("shares=null", "shares are pairs .* got None"),
        ('shares=[["depth_zbuffer","2"]]', r"got \('depth_zbuffer', '2'\)"),
        ('shares=["depth_zbuffer",2]', "shares are pairs .* got 'depth_zbuffer'"),
        ('shares=[["depth_zbuffer",true]]', "shares are pairs"),
        ("shares=[[[1],2]]", "shares are pairs"),
        ("regimes=[4.5,8]", r"a list of whole numbers such as \[8\]"),
        ("regimes=[true]", "a list of whole numbers"),
        ("encoder_widths=[8.5,8,8,8]", "a list of whole numbers"),
        ("budgets=[4.0]", "a list of whole numbers"),
        ("ridges=[true]", "a list of numbers"),
        ("transfer_widths=[1.5]", "whole numbers"),
        ("seed=4294967", "seeds go up to 4,294,966"),
    ],
)
def test_a_wrong_change_is_refused_in_one_line(change, message):
    with pytest.raises(ConfigError, match=message) as error:
        configuration("smoke", [change])
    assert "\n" not in str(error.value)


def test_a_list_that_is_empty_in_a_preset_takes_whole_numbers_alone():
    for change in ("encoder_widths=[8.5]", "decoder_widths=[true]", "transfer_widths=[1.5]"):
        with pytest.raises(ConfigError, match="whole numbers"):
            configuration("paper", [change])
    assert configuration("laptop", ["ridges=[1]", "regimes=[]"]).network.ridges == (1,)


def test_shares_are_read_as_pairs():
    found = configuration("smoke", ['shares=[["depth_zbuffer",2],["normal",0.5]]']).network.shares
    assert found == (("depth_zbuffer", 2), ("normal", 0.5))


def test_all_seeds_of_a_run_are_within_reach():
    configuration("smoke", ["seed=4294966"])
    with pytest.raises(ConfigError, match="got seed 4294966 and 2 in all"):
        configuration("smoke", ["seed=4294966", "seeds=2"])


def test_no_byte_for_labels_is_a_way_to_run():
    assert configuration("smoke", ["cache_bytes=0", "seed=0"]).cache_bytes == 0


def test_an_unknown_preset_lists_the_presets():
    with pytest.raises(ConfigError, match="paper, laptop, smoke"):
        configuration("phone", [])


def test_a_pattern_is_fingerprinted_by_its_newest_folder(tmp_path):
    from tfx_pipeline.fingerprint import folder_fingerprint

    for span in (1, 2):
        (tmp_path / f"span-{span}" / "building").mkdir(parents=True)
        (tmp_path / f"span-{span}" / "building" / "file").write_text(str(span))
    pattern = str(tmp_path / "span-{SPAN}")
    assert folder_fingerprint(pattern) == folder_fingerprint(str(tmp_path / "span-2"))


def test_budgets_shards_and_shares_follow_from_the_dictionary():
    whole = paper()
    assert whole.budgets == tuple(range(1, len(TASKS) + 1))
    assert (whole.task_shards, whole.transfer_shards) == (len(TASKS), len(target_names()))
    assert {name for name, _ in LAPTOP_SHARES} <= set(TASKS)
