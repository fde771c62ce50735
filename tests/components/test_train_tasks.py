"""A task that cannot be trained is left out with the reason."""

from components.train_tasks import lacking
from components.verdicts import LABEL_FILES, Check, save_verdict, verdict_of


def test_a_task_whose_files_were_refused_is_left_out_for_that(tmp_path):
    checks = (Check(LABEL_FILES, False, "depth_zbuffer: flawed", {"depth_zbuffer": 1.0}),)
    save_verdict(tmp_path, verdict_of("CheckData", checks, "anyhow"))
    assert "files were refused (100% of depth_zbuffer)" in lacking("depth_zbuffer", str(tmp_path))
    assert "not each of train, val and test" in lacking("normal", str(tmp_path))


def test_a_verdict_that_counted_no_files_leaves_the_splits(tmp_path):
    save_verdict(tmp_path, verdict_of("CheckData", (Check("few views are broken", True, "none"),)))
    assert "not each of train, val and test" in lacking("depth_zbuffer", str(tmp_path))
