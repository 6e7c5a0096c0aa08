/** All that is known of one image, drawn when it is opened. Put into the page as the text of this function: see `script.ts`. */
import type { Kit, Node } from './kit.ts';
import type { Packed, PackedImage, PackedUnpublished } from './packed.ts';

export function detail({ make, table, searchable }: Kit, data: Packed): (image: PackedImage) => readonly Node[] {
  type Part = Node | string;
  const section = (title: string, ...parts: readonly Part[]): Node =>
    make('section', '', make('h3', '', title), ...parts);
  const short = (text: string | null): string =>
    text === null ? 'none' : text.includes(':') ? text.slice(0, text.indexOf(':') + 13) : text;
  const time = (text: string): string => text.slice(0, 16).replace('T', ' ');
  const closed = (title: string, ...parts: readonly Part[]): Node =>
    make('details', '', make('summary', '', title), ...parts);

  const about = (image: PackedImage): Node => {
    const { failure, outcome, before, digest, tag } = image;
    const lines = [
      make(
        'p',
        '',
        make('span', `state ${outcome}`, outcome),
        `: ${failure === undefined ? image.why : failure.message}`,
      ),
    ];
    if (failure?.hint !== undefined) lines.push(make('p', '', `→ ${failure.hint}`));
    if (failure?.reason === 'policy')
      lines.push(make('ul', '', ...failure.refusals.map((refusal) => make('li', '', refusal))));
    if (image.log !== undefined && image.logLines !== undefined)
      lines.push(make('p', 'faint', `The last ${image.log.length} of ${image.logLines} lines; the journal has all.`));
    if (image.log !== undefined) lines.push(make('pre', 'log', image.log.join('\n')));
    const facts: [string, string][] = [
      [outcome === 'refused' || outcome === 'failed' ? 'This image' : 'Digest', digest ?? 'none'],
    ];
    if (outcome === 'published' && before !== null && before !== digest) facts.push(['Before', before]);
    if (tag === null && digest !== null && image.made === undefined)
      facts.push(['The tag names that, or', before ?? 'nothing']);
    if (outcome !== 'published' && tag !== null && tag !== digest)
      facts.push([
        tag === before
          ? 'The tag still names'
          : failure?.standing?.digest === tag
            ? 'The tag names now'
            : 'The tag named last',
        tag,
      ]);
    if (image.backup !== undefined) facts.push(['Kept as', `${image.backup} (unverified)`]);
    for (const { id, reason, expires } of image.waived ?? [])
      facts.push([`Passes by a waiver until ${expires}`, `${id}: ${reason}`]);
    for (const { id, reason, expires } of failure?.reason === 'policy' ? (failure.waived ?? []) : [])
      facts.push([`Waived all the same until ${expires}`, `${id}: ${reason}`]);
    for (const { part, from, to } of image.changes) facts.push([part, `${short(from)} → ${short(to)}`]);
    const list = facts.flatMap(([name, value]) => [make('dt', '', name), make('dd', 'mono', value)]);
    return section('Why', ...lines, make('dl', '', ...list));
  };
  const findings = (title: string, image: PackedImage | PackedUnpublished): Node => {
    const fresh = new Set(image.news?.new ?? []);
    const waived = new Set('waived' in image ? image.waived?.map(({ id }) => id) : []);
    const marked = (id: string): string => `${id}${fresh.has(id) ? ' (new)' : ''}${waived.has(id) ? ' (waived)' : ''}`;
    const when =
      image.scanned === undefined
        ? 'No scan is known.'
        : `Scanned ${time(image.scanned)} UTC${image.database === undefined ? '' : `, database of ${time(image.database)} UTC`}.`;
    const all = image.findings.flatMap(([number, place]) => {
      const [one, where] = [data.findings[number], data.places[place]];
      return one === undefined || where === undefined ? [] : [{ ...one, ...where }];
    });
    // What came up since the last time is what is asked for first.
    const ordered = [...all.filter(({ id }) => fresh.has(id)), ...all.filter(({ id }) => !fresh.has(id))];
    const gone = image.news?.gone ?? [];
    const parts: Node[] = [make('p', 'faint', when)];
    if (image.unscanned !== undefined)
      parts.push(make('p', 'running', `Not scanned, so not known: ${image.unscanned.join(', ')}`));
    if (image.endOfLife !== undefined)
      parts.push(
        make(
          'p',
          'running',
          `At its end of life, so that new vulnerabilities are not found: ${image.endOfLife.join(', ')}`,
        ),
      );
    if (gone.length > 0)
      parts.push(
        closed(
          `${gone.length} gone since before`,
          make(
            'p',
            '',
            gone.map(({ id, severity, package: name }) => `${id} (${severity.toLowerCase()}, ${name})`).join(', '),
          ),
        ),
      );
    if (all.length > 0)
      parts.push(
        searchable(
          'Search findings',
          ordered,
          (one) => `${marked(one.id)} ${one.severity} ${one.package} ${one.title ?? ''}`,
          (some, caption) =>
            table(
              caption,
              ['Id', 'Severity', 'Package', 'Installed', 'Fixed in', 'Title', 'Platforms', 'Layer'],
              some.map((one) => [
                make('span', fresh.has(one.id) ? 'mono new' : 'mono', marked(one.id)),
                make('span', one.severity, one.severity.toLowerCase()),
                one.package,
                one.installed,
                one.fixed ?? 'no fix known',
                one.title ?? '',
                one.platforms.join(', '),
                make('span', 'mono', one.layer === undefined ? '' : short(one.layer)),
              ]),
            ),
        ),
      );
    else if (image.scanned !== undefined && image.counts !== null) parts.push(make('p', '', 'None.'));
    return section(title, ...parts);
  };
  const packages = (title: string, image: PackedImage | PackedUnpublished): Node => {
    /** One line for each package, with the platforms that have it. */
    const all = new Map<
      string,
      { name: string; version: string; purl: string; license: string; platforms: string[] }
    >();
    for (const { platform, packages: some } of image.sbom)
      for (const number of some) {
        const one = data.packages[number];
        if (one === undefined) continue;
        const key = `${one.name}\n${one.version}\n${one.license ?? ''}`;
        const known = all.get(key);
        if (known === undefined)
          all.set(key, { ...one, purl: one.purl ?? '', license: one.license ?? '', platforms: [platform] });
        else known.platforms.push(platform);
      }
    if (all.size === 0)
      return section(
        title,
        make('p', 'faint', 'No journal here has its SBOM: slipway show --sbom prints the one that is attached.'),
      );
    const news = 'packageNews' in image ? (image.packageNews ?? []) : [];
    const moved =
      news.length === 0
        ? []
        : [
            closed(
              `${news.length} changed since before`,
              make(
                'ul',
                'mono',
                ...news.map(({ name, from, to }) => make('li', '', `${name}: ${from ?? 'new'} → ${to ?? 'gone'}`)),
              ),
            ),
          ];
    return section(
      title,
      ...moved,
      searchable(
        'Search packages',
        [...all.values()],
        (one) => `${one.name} ${one.version} ${one.purl} ${one.license} ${one.platforms.join(' ')}`,
        (some, caption) =>
          table(
            caption,
            ['Name', 'Version', 'License', 'Platforms', 'Package URL'],
            some.map((one) => [
              one.name,
              one.version,
              one.license,
              one.platforms.join(', '),
              make('span', 'mono', one.purl),
            ]),
          ),
      ),
    );
  };
  const attestations = ({ attachments }: PackedImage): Node =>
    section(
      'Signatures and attestations',
      attachments.length === 0
        ? make('p', 'faint', 'None that were verified.')
        : table(
            'Verified statements',
            ['Type', 'Signer', 'Time', 'Referrer'],
            attachments.map((one) => [
              one.predicateType,
              make('span', 'mono', one.signer),
              one.time === undefined ? '' : time(one.time),
              make('span', 'mono', short(one.referrer)),
            ]),
          ),
    );
  const commands = (image: PackedImage): Node =>
    section(
      'Check it, or undo it',
      ...image.commands.flatMap(({ what, command }) => [make('p', '', what), make('pre', '', command)]),
    );
  const steps = (image: PackedImage): Node =>
    section(
      'Steps',
      table(
        'In the order of the plan',
        ['Step', 'State', 'Took', 'Waited for a place', 'Tries'],
        data.tasks
          .filter(({ entry }) => entry === image.id)
          .map(({ step, state, ms, waited, attempts }) => [
            step,
            make('span', `state ${state}`, state),
            `${(ms / 1000).toFixed(1)} s`,
            waited === undefined ? '' : `${(waited / 1000).toFixed(1)} s`,
            attempts === undefined ? '' : String(attempts),
          ]),
      ),
    );

  return (image) => {
    const { tag } = image;
    // What failed early was not even made, or not looked into.
    const made = image.made?.scanned === undefined ? undefined : image.made;
    // Of a tag that names nothing, nothing can be said.
    const named = tag !== null || made === undefined;
    const [kept, open] = made === undefined ? ['', ''] : [' in what was not published', ' in what the tag names'];
    return [
      about(image),
      ...(made === undefined ? [] : [findings(`Findings${kept}`, made)]),
      ...(named ? [findings(`Findings${open}`, image)] : []),
      attestations(image),
      commands(image),
      ...(made === undefined || made.sbom.length === 0 ? [] : [packages(`Packages${kept}`, made)]),
      ...(named ? [packages(`Packages${open}`, image)] : []),
      steps(image),
    ];
  };
}
