/**
 * The script of the page: the text of a few functions. So they are typed, linted and packed with the rest, and use nothing from
 * outside of them but types. They write everything with `textContent`: what an SBOM or a scanner says is never read as markup.
 */
import { client } from './client.ts';
import { detail } from './detail.ts';
import { filters } from './filters.ts';
import { kit } from './kit.ts';

/** Types are gone from it when it runs; what is left is the script, word for word. */
export const script = `(${client.toString()})(document, ${[kit, detail, filters].map((part) => part.toString()).join(', ')});`;
