"""What an ingest lost is said label by label, gravest first."""

from models.examples.lost_labels import loss_lines, lost_labels

COUNTS = {"read": 48, "written": 48, "quarantined": 0}


def statistics(**views: int) -> dict:
    """views that have each label, half of them in train."""
    halves = {split: {name: n // 2 for name, n in views.items()} for split in ("train", "test")}
    return {
        split: {"labels": {name: {"views": n} for name, n in half.items()}}
        for split, half in halves.items()
    }


def test_of_a_whole_data_set_nothing_is_said():
    assert loss_lines(COUNTS, statistics(rgb=48, normal=48)) == []


def test_a_label_whose_files_are_misnamed_or_flawed_is_said_gravest_first():
    counts = COUNTS | {
        "files_refused": 49,
        "labels_misnamed": {"depth_zbuffer": 48},
        "labels_refused": {"normal": 12},
        "folders_unknown": {"semantic": 6, "thermal": 1},
        "labels_absent": {"reshading": 1},
        "quarantined": 2,
    }
    assert loss_lines(counts, statistics(rgb=48, normal=36, reshading=46)) == [
        "2 of 48 views are quarantined",
        "depth_zbuffer: 48 files are not called point_P_view_V_domain_depth_zbuffer.png and are "
        "not read; no view has this label",
        "normal: its file is flawed in 12 of 48 views, which go without it",
        "folders called semantic, in 6 buildings: of no label, not read (rename them if they hold "
        "segment_semantic)",
        "folders called thermal, in 1 buildings: of no label, not read",
        "1 files or folders cannot belong to a view by their names",
        "labels that are not there, though their buildings have them elsewhere: reshading of 1 of "
        "48 views (ingest --strict refuses such views, if files were lost)",
    ]


def test_misnamed_files_beside_sound_ones_are_no_loss_and_alone_a_whole_one():
    counts = COUNTS | {"labels_misnamed": {"normal": 48, "reshading": 3}}
    shares = {lost.label: lost.share for lost in lost_labels(counts, statistics(normal=48))}
    assert shares == {"reshading": 1.0, "normal": 0.0}


def test_a_share_is_of_the_views_that_have_a_file():
    counts = COUNTS | {"labels_refused": {"segment_semantic": 6}}
    (lost,) = lost_labels(counts, statistics(segment_semantic=18))
    assert lost.share == 0.25


def test_doubtful_scales_are_said_with_what_to_write():
    lines = loss_lines(COUNTS | {"scales_doubtful": 2}, {})
    assert any("cameras of 2 buildings" in line and "1000" in line for line in lines)
    assert not any("cameras" in line for line in loss_lines(COUNTS, {}))
