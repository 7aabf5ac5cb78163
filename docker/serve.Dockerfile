# The server of models.
#
#   docker build -f docker/serve.Dockerfile -t yt8m-serve .
#   docker run --rm --shm-size=2g -p 127.0.0.1:8501:8501 -v "$PWD/serving:/models:ro" \
#       yt8m-serve
#
# With the libraries of CUDA: --build-arg TENSORFLOW='tensorflow[and-cuda]', and run it
# with --gpus=all and the flag --num_gpus=1.
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
        "${TENSORFLOW}" "yt8m[ray] @ file://$(ls /wheels/*.whl)" \
    && useradd --uid 1000 --create-home yt8m
USER 1000
WORKDIR /home/yt8m
EXPOSE 8501
# The server loads TensorFlow, Ray and a model before it is ready.
HEALTHCHECK --start-period=120s --interval=15s --timeout=10s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/v2/health/ready')"]
# There is no authentication: publish the port to trusted networks only (docs/serving.md).
ENTRYPOINT ["yt8m-serve", "--host=0.0.0.0", "--port=8501"]
CMD ["--model_dir=/models"]
