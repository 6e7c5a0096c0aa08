/** Tells what many tags of a repository name with few requests, from the lists of Docker Hub, Quay and Google's registries. */
import { implement, type Plugin } from '@slipway/core';
import { dockerHub, google, quay } from './services.ts';

const name = 'list-tags';

const HUB = 'https://hub.docker.com';
const GOOGLE = ['gcr.io', 'asia.gcr.io', 'eu.gcr.io', 'us.gcr.io'];

function hosts(description: string) {
  return {
    type: 'array',
    maxItems: 100,
    items: { type: 'string', pattern: '^[a-z0-9.-]+(?::[0-9]{1,5})?$', maxLength: 260 },
    description,
  };
}

const plugin: Plugin = {
  name,
  version: '0.1.0',
  api: '1.1',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      dockerHub: {
        type: 'string',
        pattern: '^https?://[^/?#@]+/?$',
        default: HUB,
        description: "Where Docker Hub's own API is.",
      },
      quay: hosts('Further hosts that are Quay, besides quay.io.'),
      google: hosts("Further hosts of Google's, as europe-docker.pkg.dev, besides gcr.io and its regions."),
    },
  },
  needs: { tools: [] },
  apply(hooks, options) {
    const api = typeof options['dockerHub'] === 'string' ? options['dockerHub'] : HUB;
    const readers = new Map([
      ...[...GOOGLE, ...named(options['google'])].map((host) => [host, google] as const),
      ...['quay.io', ...named(options['quay'])].map((host) => [host, quay] as const),
      ['docker.io', dockerHub(api)] as const,
    ]);
    for (const [host, read] of readers) implement(hooks, 'tags.list@1', name, read, host);
  },
};

function named(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((host) => typeof host === 'string') : [];
}

export default plugin;
