/** What is published: people can find it, pull it, and verify it. What is not published yet cannot be judged. */
import type { Failure } from '../../failure.ts';
import { formatReference, formatRepository, isLocation } from '../../reference.ts';
import { lastingTargets } from '../../run/targets.ts';
import type { Offline, Online, Problem, Rule, Subject } from '../model.ts';

const documented: Rule = {
  id: 'destination-documented',
  severity: 'error',
  network: false,
  title: 'Every destination is named in the documentation.',
  why: 'An image that nobody can find is made again by somebody else.',
  check({ settings, document }: Offline, { entry }: Subject): readonly Problem[] {
    const file = settings.check?.documentedIn;
    // A layout in a folder is carried on, and found where it ends up.
    if (file === undefined || isLocation(entry.targets[0].destination)) return [];
    const repository = formatRepository(entry.targets[0].destination);
    if (document === undefined) return [{ message: `${file} is not there, so that ${repository} is not documented` }];
    if (names(document, repository)) return [];
    return [{ message: `${repository} is not named in ${file}`, hint: `add a line about it to ${file}` }];
  },
};

/** As a whole name: `images/go` is not documented by a line about `images/go-tools`. */
function names(document: string, repository: string): boolean {
  for (let at = document.indexOf(repository); at >= 0; at = document.indexOf(repository, at + 1)) {
    const [before, after] = [
      document[at - 1] ?? ' ',
      document.slice(at + repository.length, at + repository.length + 2),
    ];
    // A dot may end the sentence; before a letter it is part of a longer name.
    if (!/[A-Za-z0-9._/-]/.test(before) && !/^(?:[A-Za-z0-9_/-]|\.[A-Za-z0-9])/.test(after)) return true;
  }
  return false;
}

const isPublic: Rule = {
  id: 'destination-public',
  severity: 'error',
  network: true,
  title: 'Every destination can be pulled by anybody.',
  why: 'A repository is often private until somebody makes it public, and whoever published it does not notice.',
  async check({ anonymous, engine }: Online, { entry }: Subject) {
    const problems: Problem[] = [];
    for (const { destination } of lastingTargets(entry)) {
      if (isLocation(destination)) continue;
      const own = await engine.registry.head(destination, 'destination');
      if (own.ok && own.value === undefined) continue;
      const seen = await anonymous.head(destination, 'destination');
      if (seen.ok && seen.value !== undefined) continue;
      const name = formatReference(destination);
      if (!seen.ok && !isAnswer(seen.failure)) {
        const { message, hint } = seen.failure;
        const problem = { message: `${name} could not be looked at: ${message}` };
        problems.push(hint === undefined ? problem : { ...problem, hint });
      } else {
        problems.push({ message: `${name} cannot be pulled without credentials`, hint: 'make its repository public' });
      }
    }
    return problems;
  },
};

/** The registry's word for good. That nobody can be asked says nothing about who may pull. */
function isAnswer(failure: Failure): boolean {
  return failure.reason === 'registry' && failure.class === 'permanent' && failure.status !== undefined;
}

const signed: Rule = {
  id: 'destination-signed',
  severity: 'error',
  network: true,
  title: 'Every published destination has what it needs, as `slipway verify` finds.',
  why: 'Consumers that verify refuse an image whose signature or attestations are missing.',
  async check({ verified, engine }: Online, { entry, planned }: Subject) {
    if (planned.trust === 'copy') return [];
    if (engine.signing === undefined)
      return [{ message: 'nothing says whose signatures count', hint: 'set signing in the settings' }];
    const targets = (await verified()).filter(({ id }) => id === entry.id);
    return targets.flatMap(({ destination, ok, missing, failure }): readonly Problem[] => {
      if (ok || missing.includes('tag')) return [];
      if (failure !== undefined) return [{ message: `${destination} could not be verified: ${failure.message}` }];
      return [{ message: `${destination} lacks ${missing.join(', ')}`, hint: 'slipway run repairs it' }];
    });
  },
};

export const destinationRules: readonly Rule[] = [documented, isPublic, signed];
