/**
 * Prints one line of what a visitor saw, and fails when it is not what was expected.
 *
 * @param {string} what - the request
 * @param {import('./visitor.mjs').Answer} answer
 * @param {{ status: number, location?: string | RegExp, text?: string }} expected - `text` must be part of the answer
 */
export function expectAnswer(what, answer, expected) {
  const { status, pod, location, text } = answer;
  console.log(`${what.padEnd(40)} ${pod}  ${status}${location ? ` to ${location}` : ''}`);
  if (status !== expected.status)
    throw new Error(`${what}: expected ${expected.status}, got ${status}.\n${text}`);
  if (!leadsTo(location, expected.location)) {
    throw new Error(
      `${what}: expected a redirect to ${String(expected.location)}, got one to ${String(location)}.`,
    );
  }
  if (expected.text && !text.includes(expected.text)) {
    throw new Error(`${what}: expected "${expected.text}" in the answer, got:\n${text}`);
  }
}

function leadsTo(
  /** @type {string | undefined} */ location,
  /** @type {string | RegExp | undefined} */ expected,
) {
  return expected instanceof RegExp ? expected.test(location ?? '') : location === expected;
}
