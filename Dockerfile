# The mail server in one image: Dovecot, rspamd, redis, fetchmail and rulesmith, watched over by s6.
# A release sets BASE to the digest of what it was tested with: --build-arg BASE=debian:trixie-slim@sha256:…
ARG BASE=debian:trixie-slim

# rulesmith and what it imports, as an environment without pip. Once per message counts what a start costs: fdm names its
# Python itself, and no compiled file has to be compared with its source.
FROM ${BASE} AS wheel
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /build \
 && python3 -m venv --without-pip /opt/rulesmith
COPY image/requirements.txt /source/
RUN /build/bin/pip --python /opt/rulesmith/bin/python install --no-cache-dir --requirement /source/requirements.txt
COPY pyproject.toml README.md LICENSE /source/
COPY bin /source/bin
COPY man /source/man
COPY grammar /source/grammar
COPY rulesmith /source/rulesmith
RUN /build/bin/pip wheel --no-cache-dir --no-deps --wheel-dir /wheel /source \
 && /build/bin/pip --python /opt/rulesmith/bin/python install --no-cache-dir --no-deps --no-index /wheel/*.whl \
 && rm -f /opt/rulesmith/bin/httpx \
 && sed -i '1s,.*,#!/usr/bin/python3 -IS,' /opt/rulesmith/bin/fdm \
 && /opt/rulesmith/bin/python -m compileall -q -f --invalidation-mode unchecked-hash /opt/rulesmith/lib \
 && /opt/rulesmith/bin/python -m rulesmith.bundling --unchecked

# Debian's packages, in one layer.
FROM ${BASE} AS system
COPY image/dpkg.cfg /etc/dpkg/dpkg.cfg.d/rulesmith
COPY image/install /tmp/install
RUN sh /tmp/install

# What rspamd compiles at its first start, 20 seconds of work, is done here once.
FROM system AS seed
COPY image/rspamd/local.d /etc/rspamd/local.d
COPY image/rspamd/seed /tmp/seed
RUN sh /tmp/seed

FROM system
COPY --from=seed /usr/lib/rulesmith/rspamd.tar.gz /usr/lib/rulesmith/rspamd.tar.gz
COPY --from=wheel /opt/rulesmith /opt/rulesmith
COPY image /usr/lib/rulesmith/image
RUN sh /usr/lib/rulesmith/image/finish

LABEL org.opencontainers.image.title="rulesmith" \
      org.opencontainers.image.description="IMAP server that pulls mail from elsewhere, filters spam and sorts by rules" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"
ENV LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
EXPOSE 143 993 11334
VOLUME ["/config", "/home/vmail", "/var/lib/redis", "/var/lib/rspamd"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s --retries=3 CMD ["rulesmith", "health"]
ENTRYPOINT ["/usr/lib/rulesmith/init"]
