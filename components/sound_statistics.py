"""StatisticsGen for examples that may be damaged: TFX's own stops at the first record of a shard
that cannot be read.
"""

import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import apache_beam as beam
import numpy as np
import tensorflow_data_validation as tfdv
from tfx import types
from tfx.components import StatisticsGen
from tfx.components.statistics_gen.executor import DEFAULT_FILE_NAME
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils
from tfx_bsl.tfxio.tf_example_record import TFExampleBeamRecord

from models.examples.index import FOLDER, Index
from models.examples.sound import sound_records
from models.provenance.stores import here, lasting


class SoundStatistics(BaseBeamExecutor):
    """Writes statistics of every split as TFX's executor does, of those records alone that can be
    read by the index: the views that DecodeLabels keeps under `skip_damaged`. Says how many are
    left out.
    """

    def Do(
        self,
        input_dict: Dict[str, List[types.Artifact]],
        output_dict: Dict[str, List[types.Artifact]],
        exec_properties: Dict[str, Any],
    ) -> None:
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        statistics = artifact_utils.get_single_instance(output_dict["statistics"])
        statistics.split_names, statistics.span = examples.split_names, examples.span
        index = Index(Path(here(examples.uri)) / FOLDER)
        splits = artifact_utils.decode_split_names(examples.split_names)
        files = {
            split: f"{artifact_utils.get_split_uri([statistics], split)}/{DEFAULT_FILE_NAME}"
            for split in splits
        }
        with self._make_beam_pipeline() as job:
            for split, file in files.items():
                shards = np.unique(index.rows(split)["shard"]).tolist()
                _ = (
                    job
                    | f"shards of {split}" >> beam.Create([(split, shard) for shard in shards])
                    | f"one worker a shard of {split}" >> beam.Reshuffle()
                    | f"records of {split}" >> beam.FlatMap(records, lasting(examples.uri))
                    | f"examples of {split}" >> TFExampleBeamRecord("tfrecord").BeamSource()
                    | f"statistics of {split}" >> tfdv.GenerateStatistics(tfdv.StatsOptions())
                    | f"file of {split}" >> tfdv.WriteStatisticsToBinaryFile(file)
                )
        for split, file in files.items():
            count = tfdv.load_stats_binary(file).datasets[0].num_examples
            if shortfall := index.count(split) - int(count):
                print(
                    f"  statistics are without {shortfall} of {index.count(split)} views of "
                    f"{split}, whose records cannot be read",
                    file=sys.stderr,
                    flush=True,
                )


def records(shard: Tuple[str, int], uri: str) -> Iterator[bytes]:
    """Yields the serialised views of a shard that can be read. shard: (split, number)."""
    return sound_records(uri, *shard)


class SoundStatisticsGen(StatisticsGen):
    """TFX's StatisticsGen with another executor. Its type is another one, too, so that statistics
    of what is left of damaged examples are not taken for those of all by TFX's cache.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(SoundStatistics)
