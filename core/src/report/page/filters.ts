/**
 * The tables of the page: which rows are shown, by what their controls say and what the page's address asks for, and in which
 * order. Put into the page as the text of this function: see `script.ts`.
 */
import type { Kit, Node, Page } from './kit.ts';

/** A table that is filtered; its controls are in the page's address, so that whoever gets that sees the same. */
export interface Filter {
  /** Whether the address asks for any of it. */
  asked(goal: URLSearchParams): boolean;
  /** Sets the controls as the address says. */
  take(goal: URLSearchParams): void;
  /** Adds to the address what the controls say. */
  tell(goal: URLSearchParams): void;
}

export interface FilterOptions {
  /** Of the table, and the beginning of its controls' ids. */
  readonly name: string;
  /** What its rows are, for the count of them. */
  readonly what: string;
  /** Names of its choices in the address. */
  readonly choices: readonly string[];
  /** Name of its search field in the address. */
  readonly search: string;
  readonly textOf: (row: Node) => string;
  /** What is asked for exactly, and not by a control: a condition on rows and what it is called; undefined when there is none. */
  readonly exactly?: (
    goal: URLSearchParams,
  ) => { readonly text: string; readonly holds: (row: Node) => boolean } | undefined;
  /** The names of that in the address. */
  readonly exact?: readonly string[];
  readonly changed: () => void;
}

export interface Filters {
  filtered(options: FilterOptions): Filter;
  /** Makes each header of the table a button that orders its rows. */
  sortable(name: string): void;
}

export function filters(page: Page, { find, make }: Kit): Filters {
  const filtered: Filters['filtered'] = (options) => {
    const { name, what, choices, search, textOf, exactly, exact = [], changed } = options;
    const rows = [...page.querySelectorAll(`#${name} tbody tr`)];
    const controls = choices.map((choice) => [choice, find(`#${name}-${choice}`)] as const);
    const field = find(`#${name}-search`);
    const place = find(`#${name}-exact`);
    let texts: readonly string[] | undefined;
    let asked = new URLSearchParams();
    const update = (): void => {
      const wanted = field.value.trim().toLowerCase();
      if (wanted !== '') texts ??= rows.map((row) => textOf(row).toLowerCase());
      const condition = exactly?.(asked);
      let shown = 0;
      for (const [index, row] of rows.entries()) {
        const marks = (row.dataset['marks'] ?? '').split(' ');
        row.hidden = !(
          controls.every(([, { value }]) => value === '' || marks.includes(value)) &&
          (wanted === '' || texts?.[index]?.includes(wanted) === true) &&
          condition?.holds(row) !== false
        );
        if (!row.hidden) shown += 1;
      }
      find(`#${name}-found`).textContent = `${shown} of ${rows.length} ${what}`;
      place.replaceChildren(...(condition === undefined ? [] : [chip(condition.text)]));
    };
    const chip = (text: string): Node => {
      const button = make('button', 'chip', `${text} ×`);
      button.setAttribute('type', 'button');
      button.setAttribute('aria-label', `Remove the filter: ${text}`);
      button.addEventListener('click', () => {
        asked = new URLSearchParams();
        update();
        changed();
        field.focus();
      });
      return button;
    };
    const listen = (control: Node, type: string): void =>
      control.addEventListener(type, () => {
        update();
        changed();
      });
    listen(field, 'input');
    for (const [, control] of controls) listen(control, 'change');
    find(`#${name}-tools`).hidden = false;
    update();
    return {
      asked: (goal) => [...choices, ...exact, search].some((each) => goal.has(each)),
      take(goal) {
        asked = goal;
        for (const [choice, control] of controls) control.value = goal.get(choice) ?? '';
        field.value = goal.get(search) ?? '';
        update();
      },
      tell(goal) {
        const said = [...controls, [search, field] as const].map(([each, { value }]) => [each, value] as const);
        for (const [each, value] of [...said, ...exact.map((one) => [one, asked.get(one) ?? ''] as const)])
          if (value !== '') goal.set(each, value);
      },
    };
  };

  const sortable: Filters['sortable'] = (name) => {
    const headers = [...page.querySelectorAll(`#${name} thead th`)];
    const rows = [...page.querySelectorAll(`#${name} tbody tr`)];
    for (const [column, header] of headers.entries()) {
      const button = make('button', '', header.textContent);
      button.setAttribute('type', 'button');
      // Where numbers stand, the largest are asked for first.
      let up = header.dataset['first'] === 'down';
      button.addEventListener('click', () => {
        up = !up;
        for (const other of headers) other.setAttribute('aria-sort', 'none');
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
        find(`#${name} tbody`).append(...rows.toSorted((a, b) => (up ? order(a, b) : order(b, a))));
      });
      header.replaceChildren(button);
    }
  };
  return { filtered, sortable };
}
