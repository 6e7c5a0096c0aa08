/**
 * The script of the page: filters, order, and what is opened. What is shown is in the page's fragment (`#image=…`,
 * `#outcome=failed`), so that every part of the page can link to every other, and anybody can send what they see. Put into the
 * page as the text of this function: see `script.ts`.
 */
import type { detail } from './detail.ts';
import type { Kit, Node, Page } from './kit.ts';
import type { Packed, PackedImage } from './packed.ts';

export function client(page: Page, kit: (page: Page) => Kit, details: typeof detail): void {
  const tools = kit(page);
  const { find, make, link, table, searchable } = tools;
  const data = JSON.parse(find('#data').textContent) as Packed;
  const { images } = data;
  const draw = details(tools, data);
  const dialog = find('#detail');
  const { location, history } = page.defaultView;

  const open = (image: PackedImage): void => {
    find('#detail-heading').textContent = image.destination;
    find('#detail-body').replaceChildren(...draw(image));
    if (!dialog.open) dialog.showModal();
    find('#detail-heading').focus();
  };
  find('#detail-close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    // The same link opens it again only if the fragment changes.
    if (location.hash.startsWith('#image=')) history.replaceState(null, '', '#');
  });

  /** A table that is filtered by what its controls say and its rows are marked with. */
  const filtered = (name: string, what: string, textOf: (row: Node) => string): (() => void) => {
    const rows = [...page.querySelectorAll(`#${name} tbody tr`)];
    const controls = [...page.querySelectorAll(`#${name}-tools select`)];
    const search = find(`#${name}-search`);
    let texts: readonly string[] | undefined;
    const update = (): void => {
      const wanted = search.value.trim().toLowerCase();
      if (wanted !== '') texts ??= rows.map((row) => textOf(row).toLowerCase());
      let shown = 0;
      for (const [index, row] of rows.entries()) {
        const marks = (row.dataset['marks'] ?? '').split(' ');
        row.hidden = !(
          controls.every(({ value }) => value === '' || marks.includes(value)) &&
          (wanted === '' || texts?.[index]?.includes(wanted) === true)
        );
        if (!row.hidden) shown += 1;
      }
      find(`#${name}-found`).textContent = `${shown} of ${rows.length} ${what}`;
    };
    for (const control of [search, ...controls])
      control.addEventListener(control === search ? 'input' : 'change', update);
    find(`#${name}-tools`).hidden = false;
    update();
    return update;
  };

  /** Everything that is known of the image. */
  const updateImages = filtered('images', 'images', (row) => {
    const image = images[Number(row.dataset['index'])];
    if (image === undefined) return row.textContent;
    const found = image.findings.flatMap((number) => data.findings[number] ?? []);
    const listed = new Set(image.sbom.flatMap(({ packages }) => packages));
    return [
      row.textContent,
      image.digest ?? '',
      ...found.map((one) => `${one.id} ${one.package}`),
      ...[...listed].map((number) => `${data.packages[number]?.name ?? ''} ${data.packages[number]?.version ?? ''}`),
    ].join('\n');
  });
  if (page.querySelector('#vulnerabilities') !== null)
    filtered('vulnerabilities', 'vulnerabilities', (row) => row.textContent);

  const go = (): void => {
    const goal = new URLSearchParams(location.hash.slice(1));
    const image = images.find(({ destination }) => destination === goal.get('image'));
    if (image !== undefined) {
      open(image);
      return;
    }
    if (dialog.open) dialog.close();
    const names = ['outcome', 'findings', 'signed'];
    if (![...names, 'find'].some((name) => goal.has(name))) return;
    for (const name of names) find(`#images-${name}`).value = goal.get(name) ?? '';
    find('#images-search').value = goal.get('find') ?? '';
    updateImages();
    find('#images-heading').scrollIntoView();
    find('#images-search').focus();
  };
  page.defaultView.addEventListener('hashchange', go);

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
    const all = [...users.values()].toSorted((a, b) =>
      a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1,
    );
    find('#packages').replaceChildren(
      searchable(
        'Search all packages',
        all,
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
                find: `${one.name} ${one.version}`,
              }),
            ]),
          ),
      ),
    );
  };

  for (const [column, header] of [...page.querySelectorAll('#images thead th')].entries()) {
    const rows = [...page.querySelectorAll('#images tbody tr')];
    const button = make('button', '', header.textContent);
    button.setAttribute('type', 'button');
    // Where numbers stand, the largest are asked for first.
    let up = header.dataset['first'] === 'down';
    button.addEventListener('click', () => {
      up = !up;
      for (const other of page.querySelectorAll('#images thead th')) other.setAttribute('aria-sort', 'none');
      header.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const value = (row: Node): string => {
        const cell = [...row.children][column];
        return cell?.dataset['sort'] ?? cell?.textContent.trim() ?? '';
      };
      const order = (a: Node, b: Node): number => {
        const [x, y] = [value(a), value(b)];
        const numbers = x !== '' && y !== '' && !Number.isNaN(Number(x)) && !Number.isNaN(Number(y));
        return numbers ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
      };
      find('#images tbody').append(...rows.toSorted((a, b) => (up ? order(a, b) : order(b, a))));
    });
    header.replaceChildren(button);
  }
  drawPackages();
  go();
}
