# Every step of the pipeline on a cluster, and the model server: one image.
#   docker build -t REGISTRY/taskonomy:1 .
#   docker build -t REGISTRY/taskonomy:1-gpu --build-arg GPU=1 .
# From the lock, by `make setup` as on any machine: PYTHON=3.11 is the older lane (TFX 1.16), 3.13 the newer one (TFX 1.21).
ARG PYTHON=3.11
FROM python:${PYTHON}-trixie AS build
WORKDIR /app
COPY Makefile requirements.txt requirements-gpu.txt ./
ARG GPU=0
# the full image has the C++ compiler that one source package needs; what is made in /app/.venv is all that goes on
RUN make setup PYTHON=python3 && if [ "$GPU" = 1 ]; then make gpu PYTHON=python3; fi

FROM python:${PYTHON}-slim-trixie
RUN groupadd --gid 10001 taskonomy && useradd --uid 10001 --gid taskonomy --create-home taskonomy \
    # where Kubeflow's launcher brings artifacts, and where the shared volume is mounted
    && mkdir -p /gcs /s3 /minio /work && chown taskonomy:taskonomy /gcs /s3 /minio /work
WORKDIR /app
COPY --from=build /app/.venv ./.venv
COPY BUILD pyproject.toml ./
COPY models ./models
COPY beam_jobs ./beam_jobs
COPY components ./components
COPY serving ./serving
COPY tfx_pipeline ./tfx_pipeline
# `python` of a step is the environment's; numba keeps what it compiles where the user may write
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/tmp/numba \
    KERAS_BACKEND=tensorflow
USER 10001:10001
CMD ["python", "-m", "tfx_pipeline", "--help"]
