/** What the page's script makes its parts with. Put into the page as the text of this function: see `script.ts`. */

/** The part of a browser's element that is used. */
export interface Node {
  textContent: string;
  hidden: boolean;
  value: string;
  className: string;
  readonly dataset: Record<string, string | undefined>;
  readonly children: Iterable<Node>;
  append(...parts: readonly (Node | string)[]): void;
  replaceChildren(...parts: readonly (Node | string)[]): void;
  setAttribute(name: string, value: string): void;
  addEventListener(type: string, listener: () => void): void;
  querySelector(selector: string): Node | null;
  querySelectorAll(selector: string): Iterable<Node>;
  focus(): void;
  scrollIntoView(): void;
  /** Of a dialog. */
  showModal(): void;
  close(): void;
  readonly open: boolean;
}

/** What was clicked. */
interface Target {
  closest(selector: string): { getAttribute(name: string): string | null } | null;
}

export interface Page extends Pick<Node, 'querySelector' | 'querySelectorAll'> {
  createElement(name: string): Node;
  addEventListener(type: 'click', listener: (event: { readonly target: Target | null }) => void): void;
  readonly defaultView: {
    readonly location: { hash: string };
    readonly history: { readonly state: unknown; replaceState(state: string, unused: '', hash: string): void };
    addEventListener(type: string, listener: () => void): void;
  };
}

type Part = Node | string;

export interface Kit {
  find(selector: string): Node;
  make(name: string, className: string, ...parts: readonly Part[]): Node;
  /** Goes to a place in the page's own language of fragments. */
  link(text: string, goal: Readonly<Record<string, string>>): Node;
  table(caption: string, headers: readonly string[], lines: readonly (readonly Part[])[]): Node;
  /** A list with a search field; of thousands of lines only as many are drawn as anybody reads. */
  searchable<T>(
    label: string,
    all: readonly T[],
    text: (one: T) => string,
    draw: (some: readonly T[], caption: string) => Node,
  ): Node;
}

export function kit(page: Page): Kit {
  const find: Kit['find'] = (selector) => {
    const node = page.querySelector(selector);
    if (node === null) throw new Error(`the page has no ${selector}`);
    return node;
  };
  const make: Kit['make'] = (name, className, ...parts) => {
    const node = page.createElement(name);
    if (className !== '') node.className = className;
    node.append(...parts);
    return node;
  };
  const link: Kit['link'] = (text, goal) => {
    const node = make('a', '', text);
    node.setAttribute('href', `#${new URLSearchParams(goal).toString()}`);
    return node;
  };
  const table: Kit['table'] = (caption, headers, lines) => {
    const head = headers.map((text) => {
      const cell = make('th', '', text);
      cell.setAttribute('scope', 'col');
      return cell;
    });
    const cells = lines.map((line) =>
      make(
        'tr',
        '',
        ...line.map((part, column) => {
          const cell = make('td', '', part);
          // Where there is no room for columns, each cell says what it is.
          cell.setAttribute('data-label', headers[column] ?? '');
          return cell;
        }),
      ),
    );
    const list = make(
      'div',
      'scroll list',
      make(
        'table',
        '',
        make('caption', '', caption),
        make('thead', '', make('tr', '', ...head)),
        make('tbody', '', ...cells),
      ),
    );
    list.setAttribute('tabindex', '0');
    list.setAttribute('role', 'region');
    list.setAttribute('aria-label', caption);
    return list;
  };
  const searchable: Kit['searchable'] = (label, all, text, draw) => {
    const input = page.createElement('input');
    input.setAttribute('type', 'search');
    const place = make('div', '');
    const texts = all.map((one) => text(one).toLowerCase());
    const update = (): void => {
      const wanted = input.value.trim().toLowerCase();
      const found = all.filter((_, index) => texts[index]?.includes(wanted));
      const shown = found.slice(0, 200);
      const left = shown.length < found.length ? `, the first ${shown.length} shown` : '';
      place.replaceChildren(draw(shown, `${found.length} of ${all.length}${left}`));
    };
    input.addEventListener('input', update);
    update();
    return make('div', '', make('div', 'tools', make('label', '', label, input)), place);
  };
  return { find, make, link, table, searchable };
}
