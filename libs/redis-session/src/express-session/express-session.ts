/** Called when the work is done, with an error if it failed. */
export type DoneCallback = (error?: unknown) => void;

/**
 * What `req.session.cookie` tells and takes, in express-session's units: milliseconds.
 *
 * `domain`, `partitioned`, `path` and `priority` can be assigned to no effect: a browser knows and deletes a cookie by
 * them, so that all sessions have those of the options.
 */
export interface ExpressSessionCookie {
  /** Milliseconds that are left; null = until the browser is closed. Setting it also sets the idle time of the session. */
  maxAge: number | null;
  /** The end of the cookie; null = when the browser is closed. */
  expires: Date | null;
  /** Milliseconds as they were set; null = until the browser is closed. */
  readonly originalMaxAge: number | null;
  domain?: string | undefined;
  httpOnly: boolean;
  partitioned: boolean;
  path: string;
  priority?: 'low' | 'medium' | 'high' | undefined;
  sameSite: 'lax' | 'strict' | 'none' | boolean;
  secure: boolean | 'auto';
}

/**
 * The session of a request as express-session has it: attributes are properties. What `req.session` and `@Session()` give
 * with the feature `expressSession()`. It is another view of what `@CurrentSession()` gives: both see each other's changes.
 *
 * Methods call back when a function is given, else they return a promise. They are not enumerable.
 */
export interface ExpressSession {
  readonly id: string;
  cookie: ExpressSessionCookie;
  /** Ends the session and starts an empty one with another id, which `req.session` gives from then on. */
  regenerate(callback: DoneCallback): this;
  /** Keeps the attributes `names`, as @fastify/session does. */
  regenerate(names: readonly string[], callback: DoneCallback): this;
  regenerate(names?: readonly string[]): Promise<void>;
  /** Reads an attribute, as @fastify/session does. */
  get(name: string): unknown;
  /** Sets an attribute, as @fastify/session does. */
  set(name: string, value: unknown): void;
  /** Whether there are changes that are not saved, as @fastify/session says it. */
  isModified(): boolean;
  /** Whether the session is stored as it is, as @fastify/session says it. */
  isSaved(): boolean;
  /** Changes the cookie of this session, as @fastify/session does. `maxAge` is in milliseconds. */
  options(cookie: Partial<ExpressSessionCookie>): void;
  /** Writes the changes now instead of with the response. */
  save(callback: DoneCallback): this;
  save(): Promise<void>;
  /** Ends the session; `req.session` is undefined from then on. */
  destroy(callback: DoneCallback): this;
  destroy(): Promise<void>;
  /** Reads the session again and forgets changes that are not saved. Fails when it has ended. */
  reload(callback: DoneCallback): this;
  reload(): Promise<void>;
  /** Counts as an access. */
  touch(): this;
  resetMaxAge(): this;
  [attribute: string]: unknown;
}
