import { parseArgs } from 'node:util';

/**
 * Reads the options of a command.
 *
 * @param {Record<string, 'boolean' | 'text' | readonly string[]>} known - per option `boolean`, `text`, or the values it takes with
 *   the default first
 * @returns {Record<string, any>} each option with its value
 * @throws {Error} one sentence about what is wrong with the command line
 */
export function readOptions(known) {
  const entries = Object.entries(known);
  const options = Object.fromEntries(
    entries.map(([name, values]) => [
      name,
      values === 'boolean'
        ? { type: 'boolean', default: false }
        : { type: 'string', ...(values !== 'text' && { default: values[0] }) },
    ]),
  );
  const values = parse(options, entries.map(describe).join(' '));
  for (const [name, allowed] of entries) {
    if (Array.isArray(allowed) && !allowed.includes(values[name]))
      throw new Error(`--${name} must be ${allowed.join(' or ')}, got "${values[name]}".`);
  }
  return values;
}

function parse(/** @type {any} */ options, /** @type {string} */ usage) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    // Node adds advice about positional arguments, which this command does not take.
    throw new Error(`${error.message.split('. ')[0]}. The options are: ${usage}`, {
      cause: error,
    });
  }
}

function describe([name, values]) {
  if (values === 'boolean') return `[--${name}]`;
  return values === 'text' ? `[--${name} …]` : `[--${name} ${values.join('|')}]`;
}
