/** The config of regsync: https://github.com/regclient/regclient/blob/v0.11.7/docs/regsync.md */
import type { Document, Path } from '../config/document.ts';
import { fields, items, text, type Fields } from '../config/fields.ts';
import { quote } from '../config/quote.ts';
import { configFailure } from '../failure.ts';
import { failed, loaded, type Loaded } from '../config/loaded.ts';
import { expandTemplate } from './go-template.ts';
import type { ImportRequest, Remark, Wishes } from './model.ts';
import { readCredentials, type Credential } from './credentials.ts';
import { lost, whyCredential, whyNot } from './regsync-keys.ts';
import { readStep, type Say } from './regsync-step.ts';
import { settingsOfRegsync } from './settings.ts';
import { isEmpty, pathText } from './source-file.ts';

export function readRegsync(document: Document, { environment = {} }: ImportRequest): Loaded<Wishes> {
  const root = fields(document.data);
  const version = text(root['version']);
  if (!isEmpty(version) && version !== '0' && version !== '1') {
    return failed([
      configFailure(
        `version ${quote(version ?? '')} of regsync's config is not known`,
        'it is 1',
        document.locate(['version']),
      ),
    ]);
  }
  if (!Array.isArray(root['sync'])) {
    const hint = 'a file of "skopeo sync" is imported with: slipway import skopeo';
    return failed([configFailure('there is no list "sync" in the file', hint, document.locate([]))]);
  }
  const unsupported: Remark[] = [];
  const notes: Remark[] = [];
  const known = new Set<string>();
  const say: Say = (path, { why, lost }, at = path) => {
    const what = pathText(path);
    // A default is the same for every step, and so is a variable.
    if (known.has(what)) return;
    known.add(what);
    (lost ? unsupported : notes).push({ at: document.locate(at), what, why });
  };
  const credentials = readCredentials(root, (written) => expandTemplate(written, { values: {}, environment }));
  readTop(root, credentials, say);
  const defaults = fields(root['defaults']);
  const unset = new Set<string>();
  const incomplete: Path[] = [];
  const wishes = items(root['sync']).flatMap((value, index) => {
    const path = ['sync', index];
    const lack = (names: readonly string[]): void => {
      for (const name of names) unset.add(name);
      incomplete.push(path);
    };
    return readStep(fields(value), { document, path, defaults, environment, say, lack });
  });
  const [first] = incomplete;
  if (first !== undefined) {
    const steps = incomplete.length === 1 ? 'a step was' : `${incomplete.length} steps were`;
    const why = `${steps} left out: set ${[...unset].join(', ')}, as regsync finds ${unset.size === 1 ? 'it' : 'them'} in its environment, and import again`;
    unsupported.push({ at: document.locate(first), what: 'env', why });
  }
  return loaded({ wishes, settings: settingsOfRegsync(root, credentials), unsupported, notes });
}

function readTop(root: Fields, credentials: readonly Credential[], say: Say): void {
  for (const [index, credential] of credentials.entries()) {
    for (const [key, setting] of Object.entries(credential.fields)) {
      const verdict = isEmpty(setting) ? undefined : whyCredential(key, setting, credential);
      if (verdict !== undefined) say(['creds', index, key], verdict);
    }
  }
  for (const [key, value] of Object.entries(fields(root['defaults']))) {
    const verdict = isEmpty(value) ? undefined : whyNot(key, value);
    if (verdict !== undefined) say(['defaults', key], verdict);
  }
  for (const key of Object.keys(root)) {
    if (['version', 'creds', 'defaults', 'sync'].includes(key) || key.startsWith('x-')) continue;
    say([key], lost('regsync has no such key that is known here'));
  }
}
