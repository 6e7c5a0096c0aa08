/** Settings with every key that needs no file beside it. */
export const settings = `# yaml-language-server: $schema=./slipway.settings.schema.json
plugins:
  - sync-skopeo
  - name: ./plugins/mine.ts
    options: { level: 3 }
use:
  image.copy: sync-skopeo
  image.build/apko: build-other
main: trunk
mirrors:
  - source: docker.io/library
    mirror: mirror.example/hub
    trusted: true
  - source: ghcr.io
    mirror: localhost:5000
plainHttp: [registry.example:5000]
policy:
  build:
    verdict: refuse
    severities: [CRITICAL]
    fixable: false
    unscanned: refuse
    unscannable: report
    endOfLife: refuse
    notWorse: true
  sync: refuse
  overrides:
    - match: build:registry.example/old/**
      verdict: report
  waivers:
    - id: CVE-2026-0001
      match: '**/hello:*'
      reason: not reachable
      expires: 2027-01-31
    - id: CVE-2026-0002
      reason: was mended upstream
      expires: 2026-11-22
  scan: { maxAge: 7d }
trust:
  - match: sync:registry.example/mirror/**
    level: copy
signing:
  keyless:
    issuer: https://issuer.example
    subjectPattern: https://ci\\.example/images/.*
  identityTokenEnv: ID_TOKEN
  accept:
    - issuerPattern: https://.*\\.example
      subject: bot@registry.example
limits: { cpu: 3, host: 4, task: 2h, tries: 5 }
`;
