import { closestMatch } from 'leven';
import { z } from 'zod';
import { SessionOptionError } from '../session/session.errors.js';

/** What an application may say: the options of a group, those with a default left out at will. */
export type OptionsOf<Group extends z.ZodObject> = Readonly<z.input<Group>>;

/** The options of a group with their defaults filled in. */
export type ResolvedOptionsOf<Group extends z.ZodObject> = {
  readonly [Name in keyof Group['shape']]: z.output<Group['shape'][Name]>;
};

/** An option that takes a function. @param mustBe - completes "`<name>` must be …" */
export function functionOption<F>(mustBe = 'a function'): z.ZodCustom<F, F> {
  return z.custom<F>((value) => typeof value === 'function').describe(mustBe);
}

/** An option that takes an object, or an instance of a class. @param mustBe - completes "`<name>` must be …" */
export function objectOption<T>(mustBe: string): z.ZodCustom<T, T> {
  return z.custom<T>((value) => typeof value === 'object' && value !== null).describe(mustBe);
}

/** A secret in a list of them. Its type takes undefined, as that of `process.env.SECRET` does; the start refuses it. */
export function secretOption(minLength: number) {
  return z.string().optional().pipe(z.string().min(minLength));
}

/** An option that takes a text of one form. @param mustBe - completes "`<name>` must be …" */
export function patternOption(pattern: RegExp, mustBe: string): z.ZodString {
  return z.string().regex(pattern).describe(mustBe);
}

/** An option that names a cookie or a header: a token of RFC 9110 §5.6.2. @param mustBe - completes "`<name>` must be …" */
export function tokenOption(mustBe: string): z.ZodString {
  return patternOption(/^[\w!#$%&'*+.^`|~-]+$/, mustBe);
}

/** An option that is true or false. */
export const flagOption = z.boolean();

/** An option that counts something or is a duration. */
export const positiveOption = z.int().positive().describe('a positive integer');

type Options = Readonly<Record<PropertyKey, unknown>>;

/** How the names and values of a group of options are shown in a refusal. */
export interface OptionNaming {
  /** Names of options that do not exist, each with what to do, such as `Use features: [migrateFrom({ … })].` */
  readonly moved?: Readonly<Record<string, string>>;
  /** Stands before each name, such as `cookie.`. */
  readonly prefix?: string;
  /** Names of options whose values are secret. */
  readonly secret?: readonly string[];
}

/**
 * Checks the options of a group and fills in the defaults. An option that is undefined counts as left out.
 *
 * @throws SessionOptionError for the first option that is unknown or wrong
 */
export function resolveOptionGroup<Group extends z.ZodObject>(
  group: Group,
  options: OptionsOf<Group>,
  naming: OptionNaming = {},
): ResolvedOptionsOf<Group> {
  const given = withoutUndefined(options);
  const result = group.safeParse(given);
  if (result.success) return result.data as ResolvedOptionsOf<Group>;
  throw new SessionOptionError(problemOf(group, given, naming, result.error.issues));
}

/** Refuses options that are right one by one, but not together. @param contradictions - whether there is each, by its sentence */
export function refuseContradictions(contradictions: Readonly<Record<string, boolean>>): void {
  const found = Object.entries(contradictions).find(([, isThere]) => isThere);
  if (found) throw new SessionOptionError(found[0]);
}

/** The default of every option of the group that has one. */
export function defaultsOf<Group extends z.ZodObject>(group: Group): OptionsOf<Group> {
  const schemas = Object.entries<z.ZodType>(group.shape);
  const defaults = schemas.map(([name, schema]) => [name, schema.safeParse(undefined)] as const);
  return Object.fromEntries(
    defaults.flatMap(([name, { success, data }]) =>
      success && data !== undefined ? [[name, data]] : [],
    ),
  ) as OptionsOf<Group>;
}

/** Copies the options without those that are undefined. JavaScript may call a feature without options. */
function withoutUndefined(options: object | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options ?? {}).filter(([, value]) => value !== undefined),
  );
}

function problemOf(
  group: z.ZodObject,
  given: Options,
  { moved = {}, prefix = '', secret = [] }: OptionNaming,
  issues: readonly z.core.$ZodIssue[],
): string {
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys')?.keys[0];
  if (unknown !== undefined)
    return `${prefix}${unknown} must be left out: there is no such option. ${moved[unknown] ?? hintAt(unknown, prefix, group)}`;
  const path = issues[0]?.path ?? [];
  const name = String(path[0]);
  const schema = (group.shape as Record<string, z.ZodType>)[name];
  const wrong = path.reduce<unknown>((value, key) => (value as Options)[key], given);
  const place = path.length > 1 ? ` as ${prefix}${z.core.toDotPath(path)}` : '';
  const got = secret.includes(name) ? '' : `, got ${shown(wrong)}${place}`;
  return `${prefix}${name} must be ${schema ? mustBe(schema) : 'valid'}${got}.`;
}

/** What a value must be: as the schema says of itself, else the values that it lists, such as `"lax", "strict" or null`. */
export function mustBe(schema: z.ZodType): string {
  const [last = 'valid', ...others] = alternativesOf(schema).reverse();
  return others.length === 0 ? last : `${others.reverse().join(', ')} or ${last}`;
}

function alternativesOf(schema: z.core.$ZodType): string[] {
  const { description } = schema as z.ZodType;
  if (description !== undefined) return [description];
  if (schema instanceof z.ZodBoolean) return ['true', 'false'];
  if (schema instanceof z.ZodEnum) return schema.options.map(shown);
  if (schema instanceof z.ZodLiteral) return [...schema.values].map(shown);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(alternativesOf);
  if (schema instanceof z.ZodNullable) return [...alternativesOf(schema.unwrap()), 'null'];
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional)
    return alternativesOf(schema.unwrap());
  return [];
}

function hintAt(name: string, prefix: string, { shape }: z.ZodObject): string {
  const known = Object.keys(shape).sort();
  const near =
    known.find((each) => each.startsWith(name)) ?? closestMatch(name, known, { maxDistance: 3 });
  return near === undefined ? `Use ${known.join(', ')}.` : `Did you mean ${prefix}${near}?`;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
