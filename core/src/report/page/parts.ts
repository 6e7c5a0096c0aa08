/** Small parts of the page that several of its sections have. Pure. */
import { markup, type Html } from './html.ts';

/** A link to what the page's script then shows; see `client.ts`. */
export function link(text: string | Html, goal: Readonly<Record<string, string>>): Html {
  return markup`<a href="#${new URLSearchParams(goal).toString()}">${text}</a>`;
}

/** A name of which the end, which tells it apart, is seen first; where it has no room it is broken between its parts. */
export function imageName(destination: string): Html {
  const slash = destination.lastIndexOf('/') + 1;
  const path = destination.slice(0, slash).split(/(?<=\/)/);
  return markup`<span class="path">${path.map((part) => markup`${part}<wbr />`)}</span>${destination.slice(slash)}`;
}

/** The end of a name tells it apart: as many whole parts of it as fit. */
export function ending(name: string, length: number): string {
  if (name.length <= length) return name;
  const parts = name.split('/');
  while (parts.length > 1 && parts.join('/').length + 2 > length) parts.shift();
  const left = parts.join('/');
  return left.length + 2 <= length ? `…/${left}` : `…${left.slice(1 - length)}`;
}

/** By keyboard past the many links of a section; seen when it is reached. */
export function skip(section: string, name: string): Html {
  return markup`<a class="skip" href="#${section}-heading">Skip to ${name}</a>`;
}

/** The field and the choices above a table; hidden where no script runs. */
export function tools(
  table: string,
  hint: string,
  choices: readonly {
    readonly name: string;
    readonly label: string;
    readonly options: Readonly<Record<string, string>>;
  }[],
): Html {
  return markup`<div class="tools" id="${table}-tools" hidden>
    <label
      >Search <input id="${table}-search" type="search" placeholder="${hint}" autocomplete="off"
    /></label>
    ${choices.map(
      ({ name, label, options }) =>
        markup`<label
          >${label}
          <select id="${table}-${name}">
            <option value="">all</option>
            ${Object.entries(options).map(([value, text]) => markup`<option value="${value}">${text}</option>`)}
          </select></label
        >`,
    )}
    <div id="${table}-exact" aria-live="polite"></div>
    <p id="${table}-found" role="status" class="faint"></p>
  </div>`;
}
