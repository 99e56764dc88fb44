/** Where the library reports what no caller can be told. Messages hold no session id, cookie or attribute value. */
export interface SessionLogger {
  warn(message: string): void;
  error(message: string): void;
}

/** Begin a line or change the direction of writing, and JSON leaves them as they are. */
const MISLEADING = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Enough to find it, and no way to fill a log. */
const MAX_LENGTH = 200;

/** What a program would call something, and positions in it: `cart.items[0].price`. */
const PLAIN = new RegExp(`^[\\w$.[\\]-]{1,${MAX_LENGTH}}$`);

/** `text` as JSON on one line, cut after `maxLength` characters: it cannot pass for more than one value (CWE-117). */
export function quoted(text: string, maxLength = MAX_LENGTH): string {
  const shortened = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return JSON.stringify(shortened).replace(MISLEADING, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A name that a client may have chosen, or a path of such names: {@link quoted} unless it looks like a name. */
export function readable(name: string): string {
  return PLAIN.test(name) ? name : quoted(name);
}
