/**
 * The catalogue of tools that Slipway builds from source. Each has a Go module of its own under `go/`, whose `go.mod`
 * names one version and whose `go.sum` names every byte; a test holds this table and those files together.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** How a program is asked for its version, wherever it came from. */
export interface VersionProbe {
  readonly args: readonly string[];
  /** Its first group is the version, as `1.2.37`. */
  readonly pattern: RegExp;
  /** What is asked where those tell nothing. */
  readonly otherwise?: readonly string[];
}

export interface Pin {
  readonly name: string;
  /** `run`: plugins need it. `world`: only the demo and the tests do. `bench`: only the benchmarks, which build it themselves. */
  readonly kind: 'run' | 'world' | 'bench';
  /** Go module path; for a program of our own, the module in its folder. */
  readonly module: string;
  /** Without the leading `v`. */
  readonly version: string;
  /** Go package to build; `.` is a program of our own, whose source lies beside its `go.mod`. */
  readonly package: string;
  /** Go variable that holds the version: source-built tools would else call themselves `dev`, also in what they write. */
  readonly versionVariable?: string;
  /** What that variable's value begins with. */
  readonly versionPrefix?: 'v';
  readonly goExperiment?: string;
  /** Absent for programs of our own, and for those that tell no version: they are never taken from PATH. */
  readonly probe?: VersionProbe;
  /** How long it takes on two idle cores with an empty build cache, for the progress display. */
  readonly expectedSeconds: number;
}

const releaseUtils = {
  versionVariable: 'sigs.k8s.io/release-utils/version.gitVersion',
  versionPrefix: 'v',
  probe: { args: ['version', '--json'], pattern: /"gitVersion":\s*"v?([^"]+)"/ },
} as const;

export const catalogue: readonly Pin[] = [
  {
    name: 'crane',
    kind: 'run',
    module: 'github.com/google/go-containerregistry',
    version: '0.22.1',
    package: 'github.com/google/go-containerregistry/cmd/crane',
    versionVariable: 'github.com/google/go-containerregistry/cmd/crane/cmd.Version',
    probe: { args: ['version'], pattern: /^v?(\d\S*)$/m },
    expectedSeconds: 20,
  },
  {
    name: 'apko',
    kind: 'run',
    module: 'chainguard.dev/apko',
    version: '1.2.37',
    package: 'chainguard.dev/apko',
    ...releaseUtils,
    expectedSeconds: 25,
  },
  {
    name: 'melange',
    kind: 'run',
    module: 'chainguard.dev/melange',
    version: '0.59.1',
    package: 'chainguard.dev/melange',
    ...releaseUtils,
    expectedSeconds: 22,
  },
  {
    name: 'cosign',
    kind: 'run',
    module: 'github.com/sigstore/cosign/v3',
    version: '3.1.3',
    package: 'github.com/sigstore/cosign/v3/cmd/cosign',
    ...releaseUtils,
    expectedSeconds: 140,
  },
  {
    name: 'trivy',
    kind: 'run',
    module: 'github.com/aquasecurity/trivy',
    version: '0.74.0',
    package: 'github.com/aquasecurity/trivy/cmd/trivy',
    versionVariable: 'github.com/aquasecurity/trivy/pkg/version/app.ver',
    goExperiment: 'jsonv2',
    probe: { args: ['--version'], pattern: /^Version: v?(\S+)$/m },
    expectedSeconds: 330,
  },
  {
    name: 'syft',
    kind: 'run',
    module: 'github.com/anchore/syft',
    version: '1.57.0',
    package: 'github.com/anchore/syft/cmd/syft',
    versionVariable: 'main.version',
    probe: { args: ['--version'], pattern: /^syft v?(\d\S*)$/m },
    expectedSeconds: 300,
  },
  {
    name: 'buildx',
    kind: 'run',
    module: 'github.com/docker/buildx',
    version: '0.38.2',
    package: 'github.com/docker/buildx/cmd/buildx',
    versionVariable: 'github.com/docker/buildx/version.Version',
    versionPrefix: 'v',
    probe: { args: ['version'], pattern: /docker\/buildx v?(\d\S*)/ },
    expectedSeconds: 75,
  },
  {
    name: 'ko',
    kind: 'world',
    module: 'github.com/google/ko',
    version: '0.19.1',
    package: 'github.com/google/ko',
    versionVariable: 'github.com/google/ko/pkg/commands.Version',
    probe: { args: ['version'], pattern: /^v?(\d\S*)$/m },
    expectedSeconds: 60,
  },
  {
    name: 'registry',
    kind: 'world',
    module: 'github.com/distribution/distribution/v3',
    version: '3.1.2',
    package: 'github.com/distribution/distribution/v3/cmd/registry',
    versionVariable: 'github.com/distribution/distribution/v3/version.version',
    versionPrefix: 'v',
    probe: { args: ['--version'], pattern: /distribution\/v3 v?(\d\S*)$/m },
    expectedSeconds: 60,
  },
  {
    name: 'buildkitd',
    kind: 'world',
    module: 'github.com/moby/buildkit',
    version: '0.34.2',
    package: 'github.com/moby/buildkit/cmd/buildkitd',
    versionVariable: 'github.com/moby/buildkit/version.Version',
    versionPrefix: 'v',
    probe: { args: ['--version'], pattern: /moby\/buildkit v?(\d\S*)/ },
    expectedSeconds: 75,
  },
  {
    name: 'fulcio',
    kind: 'world',
    module: 'github.com/sigstore/fulcio',
    version: '1.8.8',
    package: 'github.com/sigstore/fulcio',
    ...releaseUtils,
    expectedSeconds: 45,
  },
  {
    name: 'timestamp-server',
    kind: 'world',
    module: 'github.com/sigstore/timestamp-authority',
    version: '1.2.9',
    package: 'github.com/sigstore/timestamp-authority/cmd/timestamp-server',
    ...releaseUtils,
    expectedSeconds: 50,
  },
  {
    name: 'regctl',
    kind: 'world',
    module: 'github.com/regclient/regclient',
    version: '0.11.7',
    package: 'github.com/regclient/regclient/cmd/regctl',
    versionVariable: 'github.com/regclient/regclient/internal/version.vcsTag',
    versionPrefix: 'v',
    probe: { args: ['version'], pattern: /^VCSTag:\s*v?(\d\S*)$/m },
    expectedSeconds: 40,
  },
  {
    // The server; its command line is another program.
    name: 'toxiproxy',
    kind: 'world',
    module: 'github.com/Shopify/toxiproxy/v2',
    version: '2.5.0',
    package: 'github.com/Shopify/toxiproxy/v2/cmd/server',
    versionVariable: 'github.com/Shopify/toxiproxy/v2.Version',
    probe: { args: ['-version'], pattern: /^toxiproxy-server version v?(\d\S*)$/m },
    expectedSeconds: 25,
  },
  {
    // The suite that the OCI tries registries with. It tells no version.
    name: 'conformance',
    kind: 'world',
    module: 'github.com/opencontainers/distribution-spec/conformance',
    version: '0.0.0-20260831232431-97274622c111',
    package: 'github.com/opencontainers/distribution-spec/conformance',
    expectedSeconds: 20,
  },
  {
    // Reads workflows as GitHub does.
    name: 'actionlint',
    kind: 'world',
    module: 'github.com/rhysd/actionlint',
    version: '1.7.12',
    package: 'github.com/rhysd/actionlint/cmd/actionlint',
    probe: { args: ['-version'], pattern: /^v?(\d\S*)$/m },
    expectedSeconds: 10,
  },
  {
    // Runs them.
    name: 'act',
    kind: 'world',
    module: 'github.com/nektos/act',
    version: '0.2.89',
    package: 'github.com/nektos/act',
    probe: { args: ['--version'], pattern: /^act version v?(\d\S*)$/m },
    expectedSeconds: 75,
  },
  {
    name: 'vulndb',
    kind: 'world',
    module: 'slipway.example/tools/vulndb',
    version: '0.1.0',
    package: '.',
    expectedSeconds: 15,
  },
  {
    name: 'referrers-registry',
    kind: 'world',
    module: 'slipway.example/tools/referrers-registry',
    version: '0.1.0',
    package: '.',
    expectedSeconds: 10,
  },
  {
    name: 'regsync',
    kind: 'bench',
    module: 'github.com/regclient/regclient',
    version: '0.11.7',
    package: 'github.com/regclient/regclient/cmd/regsync',
    versionVariable: 'github.com/regclient/regclient/internal/version.vcsTag',
    versionPrefix: 'v',
    probe: { args: ['version'], pattern: /^VCSTag:\s*v?(\d\S*)$/m },
    expectedSeconds: 40,
  },
  {
    name: 'oras',
    kind: 'world',
    module: 'oras.land/oras',
    version: '1.3.6',
    package: 'oras.land/oras/cmd/oras',
    versionVariable: 'oras.land/oras/internal/version.Version',
    probe: { args: ['version'], pattern: /^Version:\s*v?(\d\S*?)(?:\+.*)?$/m },
    expectedSeconds: 20,
  },
  {
    name: 'task',
    kind: 'bench',
    module: 'github.com/go-task/task/v3',
    version: '3.54.0',
    package: 'github.com/go-task/task/v3/cmd/task',
    probe: { args: ['--version'], pattern: /v?(\d+\.\S*)/m },
    expectedSeconds: 60,
  },
  {
    name: 'bench-kit',
    kind: 'bench',
    module: 'slipway.example/tools/bench-kit',
    version: '0.1.0',
    package: '.',
    expectedSeconds: 5,
  },
];

/** Where the pinned Go modules lie: in this package, also when this code was bundled into another. */
export const modulesFolder = join(dirname(createRequire(import.meta.url).resolve('@slipway/tools/package.json')), 'go');

export function pinOf(name: string): Pin | undefined {
  return catalogue.find((pin) => pin.name === name);
}

/** Arguments of `go` that build a pin into the file `output`. The same for everyone, so that they belong to the cache key. */
export function buildArguments(pin: Pin, output: string): readonly string[] {
  const version =
    pin.versionVariable === undefined ? '' : ` -X ${pin.versionVariable}=${pin.versionPrefix ?? ''}${pin.version}`;
  return [
    'build',
    '-trimpath',
    '-mod=readonly',
    '-buildvcs=false',
    `-ldflags=-s -w${version}`,
    '-o',
    output,
    pin.package,
  ];
}

/** Environment that decides what `go build` makes; everything else that could is switched off. */
export function buildEnvironment(pin: Pin): Readonly<Record<string, string>> {
  return {
    CGO_ENABLED: '0',
    GO111MODULE: 'on',
    GOEXPERIMENT: pin.goExperiment ?? '',
    GOFLAGS: '-mod=readonly',
    // Never another Go than the one that is there, and never the modules of a workspace that happens to lie above.
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
  };
}
