/**
 * Everything to do: images of several platforms with small layers, of which the first is the same in all.
 *
 *   sh tools/node.sh bench/sync/cold.ts [--images 200] [--repositories 50] [--platforms 2] [--layers 5] [--size 20000] [--delay 20] [--rounds 3] [--sample 10] [--only slipway,crane] [--built]
 */
import { option } from '../kit/options.ts';
import { hold } from './contest.ts';

const repositories = option('repositories', 50);
await hold({
  shape: {
    repositories,
    tags: Math.ceil(option('images', 200) / repositories),
    platforms: option('platforms', 2),
    layers: option('layers', 5),
    size: option('size', 20_000),
    copied: false,
    delay: option('delay', 20),
  },
  rounds: 3,
  sample: 10,
});
