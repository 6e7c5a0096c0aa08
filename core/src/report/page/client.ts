/**
 * The script of the page. It is put there as the text of this function, so it uses nothing from outside of it but types, and
 * writes everything with `textContent`: what an SBOM or a scanner says is never read as markup.
 */
import type { ReportImage } from './data.ts';
import type { TimedTask } from './timeline.ts';

/** The part of the browser's document that is used. */
interface Node {
  textContent: string;
  hidden: boolean;
  value: string;
  className: string;
  readonly dataset: Record<string, string | undefined>;
  readonly children: Iterable<Node>;
  append(...parts: readonly (Node | string)[]): void;
  replaceChildren(...parts: readonly (Node | string)[]): void;
  setAttribute(name: string, value: string): void;
  addEventListener(type: string, listener: (event: { readonly key?: string }) => void): void;
  querySelector(selector: string): Node | null;
  querySelectorAll(selector: string): Iterable<Node>;
  focus(): void;
  scrollIntoView(options: object): void;
}
interface Page extends Pick<Node, 'querySelector' | 'querySelectorAll' | 'addEventListener'> {
  createElement(name: string): Node;
  readonly defaultView: {
    readonly location: { hash: string };
    addEventListener(type: string, listener: () => void): void;
  };
}

export function client(page: Page): void {
  const find = (selector: string): Node => {
    const node = page.querySelector(selector);
    if (node === null) throw new Error(`the page has no ${selector}`);
    return node;
  };
  const { images, tasks } = JSON.parse(find('#data').textContent) as {
    readonly images: readonly ReportImage[];
    readonly tasks: readonly TimedTask[];
  };
  const detail = find('#detail');
  const rows = [...page.querySelectorAll('#images tbody tr')];
  const body = find('#images tbody');

  const make = (name: string, className: string, ...parts: readonly (Node | string)[]): Node => {
    const node = page.createElement(name);
    if (className !== '') node.className = className;
    node.append(...parts);
    return node;
  };
  const table = (caption: string, headers: readonly string[], lines: readonly (readonly (Node | string)[])[]): Node => {
    const head = make(
      'tr',
      '',
      ...headers.map((text) => {
        const cell = make('th', '', text);
        cell.setAttribute('scope', 'col');
        return cell;
      }),
    );
    const cells = lines.map((line) => make('tr', '', ...line.map((part) => make('td', '', part))));
    const list = make(
      'div',
      'scroll list',
      make('table', '', make('caption', '', caption), make('thead', '', head), make('tbody', '', ...cells)),
    );
    list.setAttribute('tabindex', '0');
    list.setAttribute('role', 'region');
    list.setAttribute('aria-label', caption);
    return list;
  };
  /** A list with a search field; thousands of lines are drawn only as far as anybody reads. */
  const searchable = <T>(
    label: string,
    all: readonly T[],
    text: (one: T) => string,
    draw: (some: readonly T[], caption: string) => Node,
  ): Node => {
    const input = page.createElement('input');
    input.setAttribute('type', 'search');
    const field = make('label', '', label);
    field.append(input);
    const place = make('div', '');
    const update = (): void => {
      const wanted = input.value.trim().toLowerCase();
      const found = all.filter((one) => text(one).toLowerCase().includes(wanted));
      const shown = found.slice(0, 500);
      place.replaceChildren(
        draw(
          shown,
          `${found.length} of ${all.length}${shown.length < found.length ? `, the first ${shown.length} shown` : ''}`,
        ),
      );
    };
    input.addEventListener('input', update);
    update();
    return make('div', '', make('div', 'tools', field), place);
  };
  const section = (title: string, ...parts: readonly (Node | string)[]): Node =>
    make('div', '', make('h3', '', title), ...parts);
  const short = (text: string | null): string =>
    text === null ? 'none' : text.includes(':') ? text.slice(0, text.indexOf(':') + 13) : text;

  const about = (image: ReportImage): Node => {
    const lines = [make('p', '', image.failure === undefined ? image.why : image.failure.message)];
    if (image.failure?.hint !== undefined) lines.push(make('p', 'faint', `→ ${image.failure.hint}`));
    lines.push(make('p', 'mono', image.digest ?? 'no digest'));
    if (image.before !== null && image.before !== image.digest)
      lines.push(make('p', 'mono faint', `before: ${image.before}`));
    for (const { part, from, to } of image.changes)
      lines.push(make('p', 'mono', `${part}: ${short(from)} → ${short(to)}`));
    return section('Why', ...lines);
  };
  const findings = (image: ReportImage): Node => {
    const fresh = new Set(image.news?.new ?? []);
    const when =
      image.scanned === undefined
        ? 'No scan is known.'
        : `Scanned ${image.scanned}${image.database === undefined ? '' : `, database of ${image.database}`}.`;
    const gone =
      image.news === undefined || image.news.gone.length === 0
        ? []
        : [make('p', '', `Gone since before: ${image.news.gone.join(', ')}`)];
    const list = searchable(
      'Search findings',
      image.findings,
      (one) => `${one.id} ${one.severity} ${one.package} ${one.title ?? ''}`,
      (some, caption) =>
        table(
          caption,
          ['Id', 'Severity', 'Package', 'Installed', 'Fixed', 'Platforms', 'Layer'],
          some.map((one) => [
            make('span', fresh.has(one.id) ? 'mono new' : 'mono', fresh.has(one.id) ? `${one.id} (new)` : one.id),
            make('span', one.severity, one.severity.toLowerCase()),
            one.package,
            one.installed,
            one.fixed ?? 'none known',
            one.platforms.join(', '),
            short(one.layer ?? null),
          ]),
        ),
    );
    return section('Findings', make('p', 'faint', when), ...gone, ...(image.findings.length === 0 ? [] : [list]));
  };
  const packages = (image: ReportImage): Node => {
    const all = image.sbom.flatMap(({ platform, packages: some }) => some.map((one) => ({ ...one, platform })));
    const moved = (image.packageNews ?? []).map(({ name, from, to }) =>
      make('p', 'mono', `${name}: ${from ?? 'new'} → ${to ?? 'gone'}`),
    );
    if (all.length === 0)
      return section(
        'Packages',
        make(
          'p',
          'faint',
          'The SBOM was made by an earlier run whose journal is not here: slipway show --sbom prints it.',
        ),
      );
    return section(
      'Packages',
      ...moved,
      searchable(
        'Search packages',
        all,
        (one) => `${one.name} ${one.version} ${one.purl ?? ''} ${one.license ?? ''} ${one.platform}`,
        (some, caption) =>
          table(
            caption,
            ['Name', 'Version', 'License', 'Platform', 'Package URL'],
            some.map((one) => [
              one.name,
              one.version,
              one.license ?? '',
              one.platform,
              make('span', 'mono', one.purl ?? ''),
            ]),
          ),
      ),
    );
  };
  const attestations = (image: ReportImage): Node =>
    section(
      'Signatures and attestations',
      image.attachments.length === 0
        ? make('p', 'faint', 'None that were verified.')
        : table(
            'Verified statements',
            ['Type', 'Signer', 'Time', 'Referrer'],
            image.attachments.map((one) => [
              one.predicateType,
              make('span', 'mono', one.signer),
              one.time ?? '',
              make('span', 'mono', short(one.referrer)),
            ]),
          ),
    );
  const commands = (image: ReportImage): Node =>
    section('Check it, or undo it', ...image.commands.map((command) => make('pre', '', command)));
  const steps = (image: ReportImage): Node => {
    const own = tasks.filter(({ entry }) => entry === image.id);
    return section(
      'Steps',
      table(
        'In the order of the plan',
        ['Step', 'State', 'Seconds'],
        own.map(({ step, state, ms }) => [step, make('span', `state ${state}`, state), (ms / 1000).toFixed(1)]),
      ),
    );
  };

  let opener: Node | undefined;
  const open = (index: number, from?: Node): void => {
    const image = images[index];
    if (image === undefined) return;
    opener = from;
    const heading = make('h2', '', image.destination);
    heading.setAttribute('id', 'detail-heading');
    const close = make('button', '', 'Close');
    close.setAttribute('type', 'button');
    close.addEventListener('click', shut);
    detail.replaceChildren(
      heading,
      close,
      about(image),
      findings(image),
      packages(image),
      attestations(image),
      commands(image),
      steps(image),
    );
    detail.hidden = false;
    detail.focus();
    detail.scrollIntoView({ block: 'start' });
  };
  function shut(): void {
    detail.hidden = true;
    detail.replaceChildren();
    opener?.focus();
  }
  detail.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') shut();
  });

  for (const row of rows) {
    const name = row.querySelector('th .mono');
    const index = Number(row.dataset['index']);
    if (name === null) continue;
    const button = make('button', 'mono', name.textContent);
    button.setAttribute('type', 'button');
    button.addEventListener('click', () => open(index, button));
    row.querySelector('th')?.replaceChildren(button);
  }

  /** What a search goes through: everything that is known of the image. */
  const texts = images.map((image) =>
    [
      image.destination,
      image.digest ?? '',
      ...image.findings.flatMap((one) => [one.id, one.package]),
      ...image.sbom.flatMap((one) => one.packages.map(({ name }) => name)),
    ]
      .join('\n')
      .toLowerCase(),
  );
  const search = find('#search');
  const outcome = find('#outcome');
  const filter = (): void => {
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const matches =
        (texts[Number(row.dataset['index'])] ?? '').includes(wanted) &&
        (outcome.value === '' || row.dataset['outcome'] === outcome.value);
      row.hidden = !matches;
      if (matches) shown += 1;
    }
    find('#found').textContent = `${shown} of ${rows.length} images`;
  };
  search.addEventListener('input', filter);
  outcome.addEventListener('change', filter);
  find('.tools').hidden = false;
  filter();

  for (const [column, header] of [...page.querySelectorAll('#images thead th')].entries()) {
    const button = make('button', '', header.textContent);
    button.setAttribute('type', 'button');
    let up = false;
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
      body.append(...rows.toSorted((a, b) => (up ? order(a, b) : order(b, a))));
    });
    header.replaceChildren(button);
  }
}
