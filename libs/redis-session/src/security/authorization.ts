import { type Authentication } from './authentication.js';
import { SessionOptionError } from '../session/session.errors.js';

/** What is asked of the user of a request. `R` is what an own rule looks at, such as the request. */
export type AuthorizationRule<R = unknown> =
  | { readonly kind: 'public' }
  | { readonly kind: 'authenticated' }
  /** Remembered users must log in again. */
  | { readonly kind: 'fully-authenticated' }
  | {
      readonly kind: 'authorities';
      readonly mode: 'any' | 'all';
      readonly authorities: readonly string[];
    }
  | { readonly kind: 'by'; readonly decide: AuthorizationDecision<R> };

/** @param authentication - undefined for an anonymous visitor, whom it may let through */
export type AuthorizationDecision<R> = (
  authentication: Authentication | undefined,
  resource: R,
) => boolean | Promise<boolean>;

/**
 * What comes of a rule. `unauthenticated`: nobody is logged in, and a login may help. `insufficient`: a fresh login
 * helps. `denied`: the user is known and may not.
 */
export type AuthorizationOutcome = 'granted' | 'unauthenticated' | 'insufficient' | 'denied';

/** Who asks, for what. */
export interface AuthorizationRequest<R = unknown> {
  readonly authentication: Authentication | undefined;
  readonly resource: R;
  /** All authorities that the given ones include; undefined = each stands for itself. See `roleHierarchy`. */
  readonly reachableAuthorities?: ReturnType<typeof roleHierarchy> | undefined;
}

/**
 * Decides by all of `rules`: the first that is not granted is the outcome. A promise only if a rule of the application's own
 * has to be asked. Remembered users who lack an authority are `denied`: who translates that may have them log in.
 */
export function authorize<R>(
  rules: readonly AuthorizationRule<R>[],
  request: AuthorizationRequest<R>,
): AuthorizationOutcome | Promise<AuthorizationOutcome> {
  for (const [i, rule] of rules.entries()) {
    const outcome = rule.kind === 'by' ? decideBy(rule.decide, request) : decide(rule, request);
    if (outcome instanceof Promise)
      return outcome.then((settled) =>
        settled === 'granted' ? authorize(rules.slice(i + 1), request) : settled,
      );
    if (outcome !== 'granted') return outcome;
  }
  return 'granted';
}

function decide<R>(
  rule: Exclude<AuthorizationRule<R>, { kind: 'by' }>,
  request: AuthorizationRequest<R>,
): AuthorizationOutcome {
  const { authentication } = request;
  if (rule.kind === 'public') return 'granted';
  if (!authentication) return 'unauthenticated';
  switch (rule.kind) {
    case 'authenticated':
      return 'granted';
    case 'fully-authenticated':
      return authentication.kind === 'full' ? 'granted' : 'insufficient';
    case 'authorities':
      return hasAuthorities(rule, request) ? 'granted' : 'denied';
  }
}

/** Only `true` itself grants: a rule in JavaScript may give back anything. */
async function decideBy<R>(
  decision: AuthorizationDecision<R>,
  { authentication, resource }: AuthorizationRequest<R>,
): Promise<AuthorizationOutcome> {
  const verdict: unknown = await decision(authentication, resource);
  if (verdict === true) return 'granted';
  return authentication ? 'denied' : 'unauthenticated';
}

function hasAuthorities<R>(
  { mode, authorities }: Extract<AuthorizationRule<R>, { kind: 'authorities' }>,
  { authentication, reachableAuthorities }: AuthorizationRequest<R>,
): boolean {
  const own = authentication?.authorities ?? [];
  const reachable = new Set(reachableAuthorities?.(own) ?? own);
  const isReachable = (authority: string) => reachable.has(authority);
  return mode === 'any' ? authorities.some(isReachable) : authorities.every(isReachable);
}

type Authorities = readonly string[];

/**
 * Makes a function that gives authorities and all that they include, each once: of `{ ADMIN: ['EDITOR'], EDITOR: ['USER'] }`,
 * `['ADMIN', 'EDITOR', 'USER']` for `['ADMIN']`. Mirrors `RoleHierarchyImpl` of Spring Security.
 *
 * @throws SessionOptionError when an authority includes itself
 */
export function roleHierarchy(
  includes: Readonly<Record<string, Authorities>>,
): (authorities: Authorities) => Authorities {
  const direct = new Map(Object.entries(includes));
  const reachable = new Map<string, Authorities>();
  const resolve = (authority: string, path: Authorities = []): Authorities => {
    const way = [...path, authority];
    if (path.includes(authority)) {
      throw new SessionOptionError(
        `roleHierarchy must not have an authority include itself, got ${way.slice(path.indexOf(authority)).join(' > ')}.`,
      );
    }
    const known = reachable.get(authority);
    if (known) return known;
    const included = direct.get(authority) ?? [];
    const all = [...new Set([authority, ...included.flatMap((next) => resolve(next, way))])];
    reachable.set(authority, all);
    return all;
  };
  for (const authority of direct.keys()) resolve(authority);
  return (authorities) => [
    ...new Set(authorities.flatMap((authority) => reachable.get(authority) ?? [authority])),
  ];
}
