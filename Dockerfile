# The image of the service: the locked packages, the bento and nothing else. Build: make image
# For a GPU: make image IMAGE=hepatica:gpu ARGS="--build-arg LOCK=requirements/serve-gpu.txt"
ARG BASE=python:3.11-slim-bookworm

# The packages, less their tests. No pip stays inside: the base's fills the environment from outside.
FROM ${BASE} AS venv
ARG LOCK=requirements/serve.txt
COPY ${LOCK} /tmp/lock.txt
RUN python3 -m venv --without-pip /venv \
 && pip --python /venv/bin/python3 install --no-cache-dir --require-hashes --only-binary :all: \
      --no-compile --requirement /tmp/lock.txt \
 && find /venv -type d -name tests -prune -exec rm -r {} + \
 && /venv/bin/python3 -m compileall -q /venv/lib

# The bento, as bentofile.yaml describes it, less its recipe for an image: this file is that recipe.
FROM venv AS bento
WORKDIR /src
COPY bentofile.yaml ./
COPY requirements/serve.txt requirements/
COPY lesion lesion
COPY service service
COPY models/default models/default
ARG VERSION
# bentoml looks for a uv that it does not run where the packages are locked already.
RUN export BENTOML_HOME=/tmp/bentoml BENTOML_DO_NOT_TRACK=True \
 && ln -s /bin/false /usr/local/bin/uv \
 && /venv/bin/bentoml build --output tag --version "${VERSION}" \
 && mv "/tmp/bentoml/bentos/hepatica/${VERSION}" /bento \
 && rm -r /bento/env \
 && /venv/bin/python3 -m compileall -q /bento/src

FROM ${BASE} AS runtime
COPY --from=venv /venv /venv
COPY --from=bento /bento /bento

# The root may be read-only: what a process must write goes to /tmp.
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    BENTOML_HOME=/tmp/bentoml \
    BENTOML_DO_NOT_TRACK=True \
    HEPATICA_PROBE_HOST=0.0.0.0 \
    HEPATICA_PROBE_PORT=3001

# The listener's, where a volume is mounted: a new one is given to whoever has the folder.
RUN install -d -m 700 -o 65532 -g 65532 /spool

# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /bento/src
EXPOSE 3000 3001
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:3001/readyz', timeout=4)"]
# One process, and it is the container: where it ends, the container ends.
ENTRYPOINT ["python3", "-m", "service"]
CMD ["--host", "0.0.0.0", "--port", "3000"]

ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="Hepatica" \
      org.opencontainers.image.description="Classifies and synthesizes liver lesions on CT. Research use only; not a medical device." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      hepatica.intended-use="research-only"
