# Training, evaluation, export and prediction: every command but yt8m-serve.
#
#   docker build -f docker/train.Dockerfile -t yt8m-train .
#   docker run --rm -v "$PWD:/work" yt8m-train yt8m-train --train_dir=model …
#
# With the libraries of CUDA, for a machine with the NVIDIA container toolkit:
#
#   docker build -f docker/train.Dockerfile -t yt8m-train-gpu \
#       --build-arg TENSORFLOW='tensorflow[and-cuda]' .
#   docker run --rm --gpus=all -v "$PWD:/work" yt8m-train-gpu yt8m-train …
ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir=/wheels .

FROM python:${PYTHON}-slim
ARG TENSORFLOW=tensorflow
COPY --from=build /wheels /wheels
COPY constraints.txt /
# hadolint ignore=DL3013
RUN pip install --no-cache-dir --constraint=/constraints.txt \
        "${TENSORFLOW}" "yt8m[report] @ file://$(ls /wheels/*.whl)" \
    && useradd --uid 1000 --create-home yt8m
USER 1000
WORKDIR /work
CMD ["yt8m-train", "--help"]
