# The whole arena in one image: one binary, which carries its pages and its migrations, on what a C
# library and certificates need. There is no shell in it.

FROM rust:1.95-slim-trixie AS build
WORKDIR /artel
COPY . .
# Without the tables that name source lines: they are most of the binary. Functions keep their names.
ENV CARGO_PROFILE_RELEASE_DEBUG=none
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/artel/target \
    cargo build --release --locked --bin artel && cp target/release/artel /usr/local/bin/
RUN mkdir /data

FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /usr/local/bin/artel /usr/local/bin/
# A volume that is put here takes over its owner.
COPY --from=build --chown=nonroot:nonroot /data /data
WORKDIR /data
ENV ARTEL_LISTEN=0.0.0.0:8080 DATABASE_URL=sqlite:///data/artel.db
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["artel", "health"]
CMD ["artel"]
