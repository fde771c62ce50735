"""Statistics as StatisticsGen leaves them, and a run's folder whose data were accepted once."""

from pathlib import Path

import numpy as np
import pandas
import tensorflow_data_validation as tfdv

from components.accepted import ACCEPTED, accept, write_evidence
from components.data_schema import SPLITS, statistics_file

COUNT = 60


def examples(seed: int, shift: float = 0.0) -> pandas.DataFrame:
    """views of one building with a label of bytes and a class's probability."""
    random = np.random.default_rng(seed)
    return pandas.DataFrame(
        {
            "building": [f"house{seed}"] * COUNT,
            "key": [f"house{seed}/point_0/view_{i}" for i in range(COUNT)],
            "normal": [random.bytes(20) for _ in range(COUNT)],
            "class_scene": random.normal(shift, 1, COUNT).astype("float32"),
        }
    )


def statistics(folder, table: pandas.DataFrame):
    """as StatisticsGen leaves them, every split the same."""
    found = tfdv.generate_statistics_from_dataframe(table)
    for split in SPLITS:
        path = statistics_file(str(folder), split)
        (folder / f"Split-{split}").mkdir(parents=True)
        with open(path, "wb") as file:
            file.write(found.SerializeToString())
    return tfdv.infer_schema(found, infer_feature_shape=False)


def accepted_run(folder: Path) -> Path:
    """below `folder`."""
    schema = statistics(folder / "statistics", examples(0))
    tfdv.write_schema_text(schema, str(folder / "inferred.pbtxt"))
    artifact = folder / "verdict"
    evidence = (str(folder / "inferred.pbtxt"), str(folder / "statistics"))
    write_evidence(str(artifact), {"normal": {}}, *evidence)
    accept(str(artifact), folder / "run" / ACCEPTED, {"records": 3.0})
    return folder / "run"
