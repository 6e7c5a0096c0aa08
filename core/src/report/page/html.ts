/** Text in HTML. Everything from outside goes through here; there is no other way into the page. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Markup that is already safe. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | readonly Html[];

/** A template whose values are text unless they are markup themselves. */
export function markup(texts: TemplateStringsArray, ...values: readonly Part[]): Html {
  return {
    html: texts.map((text, index) => text + (index < values.length ? rendered(values[index] ?? '') : '')).join(''),
  };
}

/** Markup from our own source. */
export function raw(text: string): Html {
  return { html: text };
}

export const nothing: Html = raw('');

function rendered(part: Part): string {
  if (typeof part === 'string') return escape(part);
  if (typeof part === 'number') return String(part);
  return 'html' in part ? part.html : part.map((one) => one.html).join('');
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** JSON inside a script element: nothing in it can end the element or begin a comment. */
export function embedded(data: unknown): Html {
  return raw(
    JSON.stringify(data).replace(
      /[<>&\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );
}
