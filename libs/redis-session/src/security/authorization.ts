import { type Authentication } from './authentication.js';

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
  readonly reachableAuthorities?:
    ((authorities: readonly string[]) => readonly string[]) | undefined;
}

/**
 * Decides by all of `rules`: the first that is not granted is the outcome. Without rules it is `granted`. A promise only if
 * a rule of the application's own has to be asked.
 *
 * Remembered users who lack an authority are `denied`, as everybody else: whether to have them log in is up to who
 * translates the denial.
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
  return mode === 'any'
    ? authorities.some((authority) => reachable.has(authority))
    : authorities.every((authority) => reachable.has(authority));
}
