/**
 * What stays under the key of a session that was moved to another layout, where to find it now: JSON that other libraries
 * take for "no session". It is the number zero; the digits of its exponent are the bytes of the new id.
 *
 * @returns `0e<digits>`
 */
export function movedMark(sessionId: string): string {
  return `0e${BigInt(`0x${Buffer.from(sessionId).toString('hex')}`)}`;
}

/** Reverses {@link movedMark}. @returns undefined when `text` is no such mark */
export function movedTo(text: string): string | undefined {
  if (!/^0e[1-9]\d*$/.test(text)) return undefined;
  const hex = BigInt(text.slice(2)).toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString();
}
