"""The same graph as a Kubeflow Pipelines file (schema 2.1; TFX's default 2.0 fails with typed
parameters).
"""

from __future__ import annotations

from pathlib import Path

from tfx_pipeline.config import Config


def compile_pipeline(config: Config, *, data: str, root: str, image: str, out: Path) -> Path:
    """write the pipeline to `out` (.yaml); every step runs in `image`, artifacts go below
    `root`.
    """
    from tfx import v1 as tfx

    from tfx_pipeline import quiet
    from tfx_pipeline.pipeline import make_pipeline

    quiet.after_imports()
    runner = tfx.orchestration.experimental
    settings = runner.KubeflowV2DagRunnerConfig(default_image=image, use_pipeline_spec_2_1=True)
    pipeline = make_pipeline(config, data=data, run=root, root=root, fingerprint="from-cluster")
    out.parent.mkdir(parents=True, exist_ok=True)
    runner.KubeflowV2DagRunner(
        config=settings, output_dir=str(out.parent), output_filename=out.name
    ).run(pipeline, write_out=True)
    return out
