/**
 * The script of the page: filters, order, and what is opened. What is shown is in the page's fragment (`#image=…`,
 * `#outcome=failed`), so that every part of the page can link to every other, and anybody can send what they see. Put into the
 * page as the text of this function: see `script.ts`.
 */
import type { detail } from './detail.ts';
import type { filters } from './filters.ts';
import type { Kit, Node, Page } from './kit.ts';
import type { Packed, PackedImage } from './packed.ts';

export function client(page: Page, kit: (page: Page) => Kit, details: typeof detail, tablesOf: typeof filters): void {
  const tools = kit(page);
  const { find, link, table, searchable } = tools;
  const data = JSON.parse(find('#data').textContent) as Packed;
  const { images } = data;
  const draw = details(tools, data);
  const { filtered, sortable } = tablesOf(page, tools);
  const dialog = find('#detail');
  const { location, history } = page.defaultView;

  /** Marks an address that says all of what the tables show, where a link says only what it changes. */
  const TOLD = 'told';
  /** What the tables show, as the page's address; nothing but that of an image that is closed stays there. */
  const tell = (): void => {
    const goal = new URLSearchParams();
    for (const filter of all) filter.tell(goal);
    history.replaceState(TOLD, '', `#${goal.toString()}`);
  };
  const imageOf = (row: Node): PackedImage | undefined => images[Number(row.dataset['index'])];
  const findingsOf = (numbers: PackedImage['findings']) => numbers.flatMap(([number]) => data.findings[number] ?? []);

  /** Everything that is known of the image. */
  const textOf = (row: Node): string => {
    const image = imageOf(row);
    if (image === undefined) return row.textContent;
    const listed = new Set(image.sbom.flatMap(({ packages }) => packages));
    return [
      row.textContent,
      image.digest ?? '',
      image.tag ?? '',
      ...findingsOf([...image.findings, ...(image.made?.findings ?? [])]).map((one) => `${one.id} ${one.package}`),
      ...[...listed].map((number) => `${data.packages[number]?.name ?? ''} ${data.packages[number]?.version ?? ''}`),
    ].join('\n');
  };
  /** A vulnerability, or a package in one version: what only looks like it, as CVE-2026-1003 like CVE-2026-100, is none of it. */
  const exactly = (goal: URLSearchParams) => {
    const [cve, kept, name] = [goal.get('cve'), goal.get('unpublished'), goal.get('package')];
    const waiver = goal.get('waiver');
    const having =
      (id: string, of: (image: PackedImage) => PackedImage['findings']) =>
      (row: Node): boolean => {
        const image = imageOf(row);
        return image !== undefined && findingsOf(of(image)).some((one) => one.id === id);
      };
    if (cve !== null) return { text: cve, holds: having(cve, (image) => image.findings) };
    if (kept !== null)
      return { text: `${kept}, not published`, holds: having(kept, (image) => image.made?.findings ?? []) };
    if (waiver !== null) {
      const until = goal.get('until');
      return {
        text: `${waiver}, waived${until === null ? '' : ` until ${until}`}`,
        holds: (row: Node): boolean =>
          imageOf(row)?.waived?.some(({ id, expires }) => id === waiver && (until ?? expires) === expires) === true,
      };
    }
    if (name === null) return undefined;
    const version = goal.get('version');
    const numbers = new Set(
      data.packages.flatMap((one, index) =>
        one.name === name && (version === null || one.version === version) ? [index] : [],
      ),
    );
    return {
      text: version === null ? name : `${name} ${version}`,
      holds: (row: Node): boolean =>
        imageOf(row)?.sbom.some(({ packages }) => packages.some((number) => numbers.has(number))) === true,
    };
  };
  const imageFilter = filtered({
    name: 'images',
    what: 'images',
    choices: ['outcome', 'findings', 'signed'],
    search: 'find',
    textOf,
    exactly,
    exact: ['cve', 'unpublished', 'package', 'version', 'waiver', 'until'],
    changed: tell,
  });
  const vulnerabilityFilter =
    page.querySelector('#vulnerabilities') === null
      ? undefined
      : filtered({
          name: 'vulnerabilities',
          what: 'vulnerabilities',
          choices: ['severity', 'fix', 'news'],
          search: 'words',
          textOf: (row) => row.textContent,
          changed: tell,
        });
  const all = [imageFilter, ...(vulnerabilityFilter === undefined ? [] : [vulnerabilityFilter])];

  const open = (image: PackedImage): void => {
    find('#detail-heading').textContent = image.destination;
    find('#detail-body').replaceChildren(...draw(image));
    if (!dialog.open) dialog.showModal();
    find('#detail-heading').focus();
  };
  const go = (): void => {
    const goal = new URLSearchParams(location.hash.slice(1));
    const image = images.find(({ destination }) => destination === goal.get('image'));
    if (image !== undefined) {
      open(image);
      return;
    }
    if (dialog.open) dialog.close();
    const [filter] = all.filter((each) => each.asked(goal));
    // Whoever goes back sees what was there, also that there was no filter.
    if (history.state === TOLD || location.hash === '') for (const each of all) each.take(goal);
    if (filter === undefined) return;
    for (const each of all) if (each === filter || each.asked(goal)) each.take(goal);
    tell();
    const name = filter === imageFilter ? 'images' : 'vulnerabilities';
    find(`#${name}-heading`).scrollIntoView();
    find(`#${name}-search`).focus();
  };
  page.defaultView.addEventListener('hashchange', go);
  // A link to where the page already is changes no address, and leads there all the same.
  page.addEventListener('click', ({ target }) => {
    if (target?.closest('a')?.getAttribute('href') === location.hash) go();
  });
  find('#detail-close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    // The same link opens it again only if the fragment changes.
    if (location.hash.startsWith('#image=')) tell();
  });

  /** Every package of every image, in each version. */
  const drawPackages = (): void => {
    const users = new Map<string, { name: string; version: string; license: string; images: Set<number> }>();
    for (const [index, { sbom }] of images.entries())
      for (const number of sbom.flatMap(({ packages }) => packages)) {
        const one = data.packages[number];
        if (one === undefined) continue;
        const key = `${one.name}\n${one.version}`;
        const known = users.get(key) ?? {
          name: one.name,
          version: one.version,
          license: one.license ?? '',
          images: new Set(),
        };
        known.images.add(index);
        users.set(key, known);
      }
    const ordered = [...users.values()].toSorted((a, b) =>
      a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1,
    );
    find('#packages').replaceChildren(
      searchable(
        'Search all packages',
        ordered,
        (one) => `${one.name} ${one.version} ${one.license}`,
        (some, caption) =>
          table(
            `Packages and versions: ${caption}`,
            ['Name', 'Version', 'License', 'Images'],
            some.map((one) => [
              one.name,
              one.version,
              one.license,
              link(one.images.size === 1 ? '1 image' : `${one.images.size} images`, {
                package: one.name,
                version: one.version,
              }),
            ]),
          ),
      ),
    );
  };

  sortable('images');
  drawPackages();
  go();
}
