import { randomUUID } from 'node:crypto';

/** Where a text begins or ends, and numbers. */
const QUOTES_AND_NUMBERS = /\\.|"|(?<![\d.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
/** There may be a number that JavaScript would write with other digits: a long one, one that ends with zeros or has an exponent. */
const EXACT = /[\d.]{16}|\d\.\d*0(?!\d)|0\.0{6}|\d[eE][-+\d]/;
/** Begins a text that is a number in JSON. Nobody else knows it. */
const MARK = randomUUID();
const MARKED = new RegExp(`"${MARK}(.+?)"`, 'g');

/** Makes texts of the numbers that `JSON.parse` would not keep as they are written. */
export function withMarks(json: string): string {
  if (!EXACT.test(json)) return json;
  let isText = false;
  return json.replace(QUOTES_AND_NUMBERS, (token) => {
    if (token === '"') isText = !isText;
    const number = Number(token);
    const isSame = Number.isNaN(number) || token === '-0' || String(number) === token;
    return isText || isSame ? token : `"${marked(token)}"`;
  });
}

/** Makes numbers of these texts again. */
export function withoutMarks(json: string): string {
  return json.replaceAll(MARKED, '$1');
}

/** The text that stands for a number. */
export function marked(digits: string): string {
  return MARK + digits;
}

/** @returns the number for which a text stands; undefined = it is another value */
export function markedIn(value: unknown): string | undefined {
  const isMarked = typeof value === 'string' && value.startsWith(MARK);
  return isMarked ? value.slice(MARK.length) : undefined;
}

/** Whether a number has neither a point nor an exponent. */
export function isWhole(digits: string): boolean {
  return /^-?\d+$/.test(digits);
}

/** Digits alone would be a `BigInteger`, which Spring could not read again once it has written it. */
export function isLarge(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) >= 2 ** 63;
}
