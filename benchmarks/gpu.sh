#!/usr/bin/env bash
# What the published study costs on this machine's GPU, with JAX: steps a second and the share of the
# card's own bf16 matrix rate, for encoder, task, adversary, pairs, triplets, tiles and stacked
# transfers, feeding included, and the hours of the whole schedule.
#
#   benchmarks/gpu.sh WHEELS [arguments of training_paper.py]
#
# WHEELS: a folder of the wheels that the machine lacks beside JAX, OpenCV, SciPy, scikit-image and
# numba; for Python 3.12 made elsewhere by
#   python3 -m pip download --no-deps --only-binary=:all: --python-version 3.12 -d WHEELS \
#     --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
#     --platform manylinux2014_x86_64 keras==3.15.1 namex optree deflate
# After MINUTES (11) it prints what it has reached.
set -euo pipefail
wheels=${1:?expected a folder of wheels: benchmarks/gpu.sh WHEELS}
shift
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --target "$site" "$wheels"/*.whl
export PYTHONPATH=$site${PYTHONPATH:+:$PYTHONPATH} KERAS_BACKEND=jax PYTHONUNBUFFERED=1
export XLA_PYTHON_CLIENT_PREALLOCATE=false
cd "$(dirname "$0")/.."
python3 benchmarks/training_paper.py --minutes "${MINUTES:-11}" \
  --batch 32 --precision mixed_bfloat16 --feeders 8 --seconds 10 "$@"
