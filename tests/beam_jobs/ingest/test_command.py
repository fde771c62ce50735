"""`ingest` says on the terminal what it lost."""

import json
from pathlib import Path

from PIL import Image
from published_set import write_set

from beam_jobs.__main__ import main


def test_labels_that_are_lost_whole_are_said_on_the_terminal(tmp_path, capsys):
    data = write_set(tmp_path / "data", points=1, views=2)
    for file in data.glob("*/depth_zbuffer/*.png"):
        file.rename(file.with_suffix(".PNG"))
    for file in data.glob("*/depth_euclidean/*.png"):
        Image.new("L", Image.open(file).size, 9).save(file)
    for building in data.iterdir():
        (building / "segment_semantic").rename(building / "segment")
    arguments = ["ingest", "--data", str(data), "--out", str(tmp_path / "out"), "--size", "16"]
    assert main([*arguments, "--shards", "1"]) == 0
    output = capsys.readouterr()
    counts = json.loads(output.out)
    assert counts["labels_misnamed"] == {"depth_zbuffer": 6}
    lines = output.err.splitlines()
    for words in (
        "depth_zbuffer: 6 files are not called point_P_view_V_domain_depth_zbuffer.png and are not "
        "read; no view has this label",
        "depth_euclidean: its file is flawed in 6 of 6 views, which go without it; no view has "
        "this label",
        "folders called segment, in 3 buildings: of no label, not read (rename them if they hold "
        "segment_unsup2d or segment_unsup25d or segment_semantic)",
        f"the reasons: {tmp_path / 'out'}/quarantine.jsonl",
    ):
        assert words in lines
    assert Path(tmp_path, "out", "quarantine.jsonl").exists()
