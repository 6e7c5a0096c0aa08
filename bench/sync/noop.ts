/**
 * Nothing to do: every tag is at the destination already.
 *
 *   sh tools/node.sh bench/sync/noop.ts [--tags 1000] [--repositories 50] [--delay 20] [--rounds 5] [--sample 50] [--only slipway,regsync] [--built]
 */
import { option } from '../kit/options.ts';
import { hold } from './contest.ts';

const repositories = option('repositories', 50);
await hold({
  shape: {
    repositories,
    tags: Math.ceil(option('tags', 1_000) / repositories),
    platforms: 2,
    layers: 2,
    size: 100,
    copied: true,
    delay: option('delay', 20),
  },
  rounds: 5,
  sample: 50,
});
