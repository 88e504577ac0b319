# One image for every component. All Python packages come from the hashed lock, so the slim base
# (Airflow without the providers we do not use) is enough and nothing shadows a locked version.
FROM apache/airflow:slim-3.3.2-python3.11

WORKDIR /opt/airflow

# Dependencies first: this layer changes only with the lock, which is whole (`pip check` below).
COPY --chown=airflow:0 requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --no-deps --requirement requirements.lock

COPY --chown=airflow:0 pyproject.toml requirements.txt README.md LICENSE ./
COPY --chown=airflow:0 include ./include
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . && pip check

COPY --chown=airflow:0 dags ./dags
COPY --chown=airflow:0 plugins ./plugins
COPY --chown=airflow:0 config ./config

# A named volume takes its owner from the folder that the image has in its place.
RUN mkdir --parents sandbox

ENV AIRFLOW__CORE__DAGS_FOLDER=/opt/airflow/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/airflow/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    BATON_POLICY_DIR=/opt/airflow/include/policy \
    GX_ANALYTICS_ENABLED=false

# The base image's user: no component runs as root.
USER airflow
