/** The options with their defaults: `ResolvedOptions`. */
export const RESOLVED_OPTIONS = Symbol('RESOLVED_OPTIONS');
/** What all requests share: `SessionRequestContext`. */
export const SESSION_REQUEST_CONTEXT = Symbol('SESSION_REQUEST_CONTEXT');
