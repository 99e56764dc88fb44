import { z } from 'zod';
import { SessionOptionError } from '../session/session.errors.js';

/** An option that takes a function. */
export const anyFunction = z.custom((value) => typeof value === 'function');

/** An option that takes an object, or a class's instance. */
export const anyObject = z.custom((value) => typeof value === 'object' && value !== null);

/** How the names and values of a group of options are shown in a refusal. */
export interface OptionNaming {
  /** Stands before each name, such as `cookie.`. */
  readonly prefix?: string;
  /** Names of options whose values are secret. */
  readonly secret?: readonly string[];
}

/**
 * Checks options that have their defaults filled in. Each member's description completes "`<name>` must be …".
 *
 * @throws SessionOptionError for the first one that is unknown or wrong
 */
export function checkOptions<S extends z.ZodObject>(
  schema: S,
  options: Readonly<Record<string, unknown>>,
  { prefix = '', secret = [] }: OptionNaming = {},
): z.infer<S> {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const unknown = issue.keys.map((key) => prefix + key).join(', ');
    const known = Object.keys(schema.shape).join(', ');
    throw new SessionOptionError(
      `${unknown} must be left out: there is no such option. Use ${known}.`,
    );
  }
  const name = String(issue?.path[0]);
  const description = (schema.shape[name] as z.ZodType | undefined)?.description ?? 'valid';
  const got = secret.includes(name) ? '' : `, got ${shown(options[name])}`;
  throw new SessionOptionError(`${prefix}${name} must be ${description}${got}.`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
