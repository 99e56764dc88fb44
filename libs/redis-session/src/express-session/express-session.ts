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
  /** Domain of the options. Assigning it changes nothing. */
  domain?: string | undefined;
  /** Whether scripts of the page cannot read the cookie. */
  httpOnly: boolean;
  /** Whether browsers keep one cookie per top-level site. Assigning it changes nothing. */
  partitioned: boolean;
  /** Path of the options. Assigning it changes nothing. */
  path: string;
  /** Priority of the options. Assigning it changes nothing. */
  priority?: 'low' | 'medium' | 'high' | undefined;
  /** Which requests of other sites carry the cookie. `true` means `strict`. */
  sameSite: 'lax' | 'strict' | 'none' | boolean;
  /** Whether browsers send the cookie over https only. `auto`: as the request came. */
  secure: boolean | 'auto';
}

/**
 * The session of a request as express-session has it: attributes are properties. What `req.session` and `@Session()` give
 * with the feature `expressSession()`. It is another view of what `@CurrentSession()` gives: both see each other's changes.
 *
 * Methods call back when a function is given, else they return a promise. They are not enumerable.
 */
export interface ExpressSession {
  /** The id of the session, without its signature. */
  readonly id: string;
  /** The cookie of this session. */
  cookie: ExpressSessionCookie;
  /** Ends the session and starts an empty one with another id, which `req.session` gives from then on. */
  regenerate(callback: DoneCallback): this;
  /** Keeps the attributes `names`, as @fastify/session does. */
  regenerate(names: readonly string[], callback: DoneCallback): this;
  /** Ends the session and starts another one, which keeps the attributes `names`. */
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
  /** Writes the changes now. Rejects when the store fails. */
  save(): Promise<void>;
  /** Ends the session; `req.session` is undefined from then on. */
  destroy(callback: DoneCallback): this;
  /** Ends the session. Rejects when the store fails. */
  destroy(): Promise<void>;
  /** Reads the session again and forgets changes that are not saved. Fails when it has ended. */
  reload(callback: DoneCallback): this;
  /** Reads the session again. Rejects when it has ended. */
  reload(): Promise<void>;
  /** Counts as an access. */
  touch(): this;
  /** Sets `cookie.maxAge` back to `cookie.originalMaxAge`. */
  resetMaxAge(): this;
  [attribute: string]: unknown;
}
