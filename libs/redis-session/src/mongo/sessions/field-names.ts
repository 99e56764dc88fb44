/** What has a meaning in a path of MongoDB, what no field name may have, and the sign that stands before their codes. */
const SPECIAL = /[%.$\p{Cc} ]/gu;

/** The name of a field for any name: `a.b` is `a%2Eb`. The empty name is `%`. */
export function encodeField(name: string): string {
  return name.toWellFormed().replace(SPECIAL, codeOf) || '%';
}

/** The name that {@link encodeField} has written. */
export function decodeField(field: string): string {
  if (field === '%') return '';
  return field.replace(/%([0-9A-F]{2})/g, (_code, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
}

/** @returns `{ 'attributes.<name>': value }`, which names fields one by one */
export function fieldsIn<T>(
  parent: 'attributes' | 'indexes',
  values: Iterable<readonly [string, T]>,
): Record<string, T> {
  return Object.fromEntries(
    [...values].map(([name, value]) => [`${parent}.${encodeField(name)}`, value]),
  );
}

function codeOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
