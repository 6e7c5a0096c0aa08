#!/bin/sh
# What a pipeline without an engine does: every image in turn, the same tools, the same attachments. chain.ts sets the variables.
set -eu

empty="$WORK/empty"
: >"$empty"
trivy() {
  "$TRIVY" image --config "$empty" --ignorefile "$empty" --cache-dir "$WORK/trivy" --no-progress --disable-telemetry \
    --skip-version-check --quiet "$@"
}
attest() {
  "$COSIGN" attest --yes --key "$KEY" --signing-config "$SIGNING_CONFIG" --trusted-root "$TRUSTED_ROOT" \
    --type "$1" --predicate "$2" "$3" 2>>"$WORK/cosign.log"
}

trivy --download-db-only --db-repository "$DATABASE"
for source in images/*/apko.yaml; do
  name=$(basename "$(dirname "$source")")
  out="$WORK/$name"
  repository="$HOST/$name"
  mkdir -p "$out/layout" "$out/sboms"
  "$APKO" build --arch x86_64 --cache-dir "$WORK/apko" --sbom-path "$out/sboms" --vcs=false --log-level error \
    "$source" "$name:build" "$out/layout"
  # An untagged image first: the layout's index.json is the image's index.
  digest="sha256:$(sha256sum "$out/layout/index.json" | cut -d ' ' -f 1)"
  "$CRANE" push --index "$out/layout" "$repository@$digest" 2>>"$WORK/crane.log"
  image="$repository@$digest"
  platform="$repository@$("$CRANE" digest --platform linux/amd64 "$image")"
  trivy --image-src remote --platform linux/amd64 --format json --list-all-pkgs --scanners vuln --cache-backend memory \
    --offline-scan --skip-db-update --skip-java-db-update --skip-check-update --output "$out/scan.json" "$platform"
  printf '{"buildDefinition":{"buildType":"https://slipway.example/script","externalParameters":{"source":"%s"}},"runDetails":{"builder":{"id":"https://slipway.example/script"}}}' \
    "$source" >"$out/provenance.json"

  attest spdxjson "$out/sboms/sbom-x86_64.spdx.json" "$platform"
  attest vuln "$out/scan.json" "$platform"
  attest spdxjson "$out/sboms/sbom-index.spdx.json" "$image"
  attest vuln "$out/scan.json" "$image"
  attest slsaprovenance1 "$out/provenance.json" "$image"
  "$COSIGN" sign --yes --key "$KEY" --signing-config "$SIGNING_CONFIG" --trusted-root "$TRUSTED_ROOT" "$image" \
    2>>"$WORK/cosign.log"
  "$COSIGN" verify --key "$PUBLIC_KEY" --insecure-ignore-tlog "$image" >/dev/null 2>>"$WORK/cosign.log"
  "$CRANE" tag "$image" 1 2>>"$WORK/crane.log"
done
