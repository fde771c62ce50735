"""The main job for a newcomer: data set, pipeline, a served taxonomy, one question asked and
answered.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from models.networks.training.workers import begin_worker
from serving.release.process import ServerError, ServerProcess, serve_command
from tfx_pipeline.config import Config
from tfx_pipeline.faults import RunError
from tfx_pipeline.local import run_pipeline

# pixels a side, up to which an operation of a served network is over before a second core could
# help (docs/SERVING.md, Speed)
SMALL = 64


def demo(config: Config, run: Path) -> int:
    """Makes everything below `run` and returns the exit code: data (procedural, published layout),
    artifacts, metadata.sqlite, serving, answers.
    """
    # the whole time, the data included: that is what a newcomer waits for
    since = time.time()
    data = run / "data"
    make_data(config, data)
    places = run_pipeline(config, data, run)
    picture = picture_to_ask(data)
    # one thread an operation is quicker for pictures this small (docs/SERVING.md, Speed)
    flags = ["--tensorflow_intra_op_parallelism=1"] if config.image_size <= SMALL else []
    answer = ask_served(places["serving"], picture, run / "answers", flags)
    doors = " ".join([*flags, "--port=8500", "--rest_api_port=8501"])
    from models.reports import summary

    print(summary(places["report"].parent))
    serve = (
        ".venv/bin/python -m serving serve --model_name=taxonomy "
        f"--model_base_path={places['serving'].resolve()} {doors}"
    )
    ask = (
        f".venv/bin/python -m serving ask --server 127.0.0.1:8500 --image {picture} "
        f"--task normal,depth_zbuffer --out {run / 'answers'}"
    )
    print(f"""
asked     {picture.relative_to(run)} (of a test building) over gRPC; {answer}
report    {places["report"]}
serve     {serve}
ask       {ask}
took      {time.time() - since:.0f} s""")
    return 0


def picture_to_ask(data: Path) -> Path:
    """Returns the last picture of the test split's buildings, from which no network learned. Raises
    RunError where there is none.
    """
    splits = json.loads((data / "dataset.json").read_text())["splits"]
    tested = sorted(name for name, split in splits.items() if split == "test")
    pictures = [path for name in tested for path in sorted((data / name / "rgb").glob("*.png"))]
    if not pictures:
        raise RunError(
            f"{data} has no picture of a test building ({data / 'dataset.json'} names "
            f"{', '.join(tested) or 'none'}); remove the folder and run again"
        )
    return pictures[-1]


def make_data(config: Config, data: Path) -> None:
    """Makes the procedural data set in a process of its own, in which its kernels are compiled;
    complete buildings are kept. Raises RunError.
    """
    command = [
        sys.executable,
        "-m",
        "beam_jobs",
        "annotate",
        "--out",
        str(data),
        "--buildings",
        str(config.buildings),
        "--held-out",
        str(config.held_out),
        "--views",
        str(config.views_per_building),
        "--size",
        str(config.render_size),
        "--seed",
        str(config.seed),
        "--processes",
        str(config.processes),
    ]
    # Ctrl-C is for us to hear, who end it: one line instead of a traceback a process.
    # Not `check`: the message below says what to do, in place of a traceback.
    process = subprocess.run(command, check=False, preexec_fn=begin_worker)
    if process.returncode:
        raise RunError(
            f"the data set could not be made (exit code {process.returncode}); run it alone to "
            f"see why: {' '.join(command[1:])}"
        )


def ask_served(base: Path, picture: Path, answers: Path, flags: list[str]) -> str:
    """Starts a model server with `flags` on `base`, asks it about `picture` over gRPC, stops it,
    and returns a line on what came back. Raises RunError.
    """
    command = [*serve_command(base), *flags]
    try:
        # at a free port: a server of the person's own may be running
        with ServerProcess(command) as server:
            words = ["--server", server.address, "--image", str(picture), "--out", str(answers)]
            process = subprocess.run(
                [sys.executable, "-m", "serving", "ask", "--model-name", "taxonomy", *words],
                capture_output=True,
                text=True,
                check=False,
            )
    except ServerError as error:
        raise RunError(
            f"the model server {error}; start it by hand on {base} to see why"
        ) from error
    if process.returncode:
        raise RunError(
            "the served model did not answer: "
            # the last line says what went wrong; what is before it are others' warnings
            f"{(process.stderr or process.stdout).strip().splitlines()[-1]}"
        )
    return f"{len(list(answers.iterdir()))} answers in {answers}"
