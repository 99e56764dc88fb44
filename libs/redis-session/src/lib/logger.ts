/** Where the library reports what no caller can be told. Messages hold no session id, cookie or attribute value. */
export interface SessionLogger {
  warn(message: string): void;
  error(message: string): void;
}

/** Begin a line, move the cursor, are not seen or change the direction of writing. */
const MISLEADING = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Enough to find it, and no way to fill a log. */
const MAX_LENGTH = 200;

/** What a program would call something, and positions in it: `cart.items[0].price`. */
const PLAIN = new RegExp(`^[\\w$.[\\]-]{1,${MAX_LENGTH}}$`);

/** `text` as JSON on one line, cut after `maxLength` characters: it cannot pass for more than one value (CWE-117). */
export function quoted(text: string, maxLength = MAX_LENGTH): string {
  const shortened = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return JSON.stringify(shortened).replace(MISLEADING, (character) =>
    character.split('').map(escaped).join(''),
  );
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A name that a client may have chosen, or a path of such names: {@link quoted} unless it looks like a name. */
export function readable(name: string): string {
  return PLAIN.test(name) ? name : quoted(name);
}

/** The longest that {@link quoted} makes of {@link MAX_QUOTED} characters: what was told once is not quoted again. */
const MAX_TEXT = 600;
const MAX_QUOTED = 99;

/** A sentence of a server, a driver or a handler: as it is when it is one short line, else {@link quoted}. */
export function plainText(text: string): string {
  const isPlain = text.length <= MAX_TEXT && text.search(MISLEADING) < 0;
  return isPlain ? text : quoted(text, MAX_QUOTED);
}
