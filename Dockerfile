# The whole arena in one image: one binary, which carries its pages and its migrations.

FROM rust:1.95-slim-trixie AS build
WORKDIR /artel
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/artel/target \
    cargo build --release --locked --bin artel && cp target/release/artel /usr/local/bin/

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 artel \
    && install --directory --owner artel /data
COPY --from=build /usr/local/bin/artel /usr/local/bin/
USER artel
WORKDIR /data
ENV ARTEL_LISTEN=0.0.0.0:8080 DATABASE_URL=sqlite:///data/artel.db
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["artel"]
