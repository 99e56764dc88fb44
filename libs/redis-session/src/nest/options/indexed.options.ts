import { hostname } from 'node:os';
import { z } from 'zod';
import { type OptionsOf, flagOption, resolveOptionGroup } from '../../lib/option-group.js';
import {
  indexedOptions,
  limitOption,
} from '../../redis/indexed/redis-indexed-session-repository.options.js';
import { type MaximumSessions } from '../../redis/indexed/session-limit.js';
import { type Authentication } from '../../security/authentication.js';
import { type SecurityContext } from '../../security/security-context.js';
import { SECURITY_CONTEXT_ATTRIBUTE } from '../../session/attributes/attribute-names.js';

/** What `indexed` takes, with `repository: 'indexed'`. */
export const indexedOptionGroup = z.strictObject({
  ...indexedOptions,
  /** How many sessions a user may have, for all users or by the user. -1 means any number. */
  maximumSessions: limitOption<(authentication: Authentication) => number>().default(-1),
  /** Name of this replica, unlike that of any other. A replica that restarts under its name misses no broadcast. */
  replicaName: z.string().min(1).describe('a string that is not empty').default(hostname),
  /** Whether this replica looks for expired sessions. At least one replica must. */
  runsWorker: flagOption.default(true),
});

/** What `indexed` of the module's options takes. */
export interface IndexedSessionOptions extends OptionsOf<typeof indexedOptionGroup> {}

/** {@link IndexedSessionOptions} with their defaults. */
export type ResolvedIndexedOptions = ReturnType<typeof resolveIndexedSessionOptions>;

/** @throws SessionOptionError for the first option that is unknown or wrong */
export function resolveIndexedSessionOptions(options: IndexedSessionOptions) {
  const resolved = resolveOptionGroup(indexedOptionGroup, options, { prefix: 'indexed.' });
  return { ...resolved, maximumSessions: limitOf(resolved.maximumSessions) };
}

function limitOf(
  maximumSessions: number | ((authentication: Authentication) => number),
): MaximumSessions {
  if (typeof maximumSessions === 'number') return maximumSessions;
  return (session) => {
    const context = session.getAttribute<SecurityContext>(SECURITY_CONTEXT_ATTRIBUTE);
    return context?.authentication ? maximumSessions(context.authentication) : -1;
  };
}
