import { inspect } from 'node:util';
import { readable } from '../lib/logger.js';
import { type AttributeLookup, type PendingAttributeChange } from './attributes/attributes.js';
import { type SessionCodec } from './attributes/codec.js';
import { type FlushMode, type SaveMode } from './repository-options.js';
import { type SessionChange } from './session-change.js';
import { type SessionTimes } from './session-times.js';

/**
 * Names and types of the application's attributes, by declaration merging:
 *
 * ```ts
 * declare module 'nestjs-redis-session' {
 *   interface SessionAttributes { cart: Item[] }
 * }
 * ```
 */
export interface SessionAttributes {}

/**
 * A name that {@link SessionAttributes} does not declare. Where it declares any, a literal of another name is a spelling
 * mistake and is refused; a variable of type `string` is accepted.
 */
export type UndeclaredAttributeName<N extends string> = [keyof SessionAttributes] extends [never]
  ? N
  : string extends N
    ? N
    : never;

/**
 * The state of one client across requests and replicas. Mirrors `Session` of Spring Session.
 *
 * Changes are kept in memory until they are committed, before the first byte of the response leaves.
 * Values are decoded at their first read.
 */
export interface Session {
  /** What the client will be told; changes with {@link changeSessionId}. */
  readonly id: string;
  /** When the session was created. */
  readonly creationTime: Date;
  /** Start of the latest request that used the session. Only grows. */
  readonly lastAccessedTime: Date;
  /** Seconds without a request after which the session expires; -1 = never. */
  maxInactiveIntervalSeconds: number;
  /** True until it is stored for the first time. */
  readonly isNew: boolean;
  /** True after {@link invalidate}; attributes can no longer be used then. */
  readonly isInvalidated: boolean;
  /** Also of attributes that the library sets, such as `SECURITY_CONTEXT`. */
  readonly attributeNames: readonly string[];

  /** @returns the value, or undefined when there is none; mutating it in place counts as a change (SaveMode 'on-change') */
  getAttribute<K extends keyof SessionAttributes>(name: K): SessionAttributes[K] | undefined;
  /**
   * For names that are not declared in {@link SessionAttributes}: name the type of the value,
   * `getAttribute<string>('tenant')`, or give a variable of type `string`.
   */
  getAttribute<T = unknown, N extends string = string>(
    name: UndeclaredAttributeName<N>,
  ): T | undefined;

  /** Sets an attribute; undefined removes it. */
  setAttribute<K extends keyof SessionAttributes>(
    name: K,
    value: SessionAttributes[K] | undefined,
  ): void;
  /** For names that are not declared in {@link SessionAttributes}: `setAttribute<number>('visits', 1)`. */
  setAttribute<T, N extends string = string>(
    name: UndeclaredAttributeName<N>,
    value: T | undefined,
  ): void;

  /** Removes an attribute; does nothing when there is none. For names that are not declared: `removeAttribute<string>('tenant')`. */
  removeAttribute<N extends string>(
    name: keyof SessionAttributes | UndeclaredAttributeName<N>,
  ): void;

  /**
   * Changes one attribute by a function of its stored value, atomically across replicas: when another request changed
   * it meanwhile, `change` is called again with the newer value.
   *
   * Takes effect with the commit of this request, or at once when the result is awaited.
   *
   * @param change - pure; may be called several times; returning undefined removes the attribute
   * @returns the value that was stored
   */
  update<K extends keyof SessionAttributes>(
    name: K,
    change: (value: SessionAttributes[K] | undefined) => SessionAttributes[K] | undefined,
  ): PromiseLike<SessionAttributes[K] | undefined>;
  /** For names that are not declared in {@link SessionAttributes}: `update<number>('visits', (visits = 0) => visits + 1)`. */
  update<T, N extends string = string>(
    name: UndeclaredAttributeName<N>,
    change: (value: T | undefined) => T | undefined,
  ): PromiseLike<T | undefined>;

  /** Gives the session a new id; the old one is dead once the change is committed. @returns the new id */
  changeSessionId(): string;

  /** Deletes the session at once. Nothing can revive it. */
  invalidate(): Promise<void>;

  /** Writes the changes now instead of with the response. @throws SessionInvalidatedError when it is gone */
  save(): Promise<void>;
}

/** Shows the names of its attributes where it is logged or returned by mistake, but no id and no values. */
export abstract class ShownByNames {
  /** @internal */
  protected abstract readonly attributes: { readonly names: readonly string[] };

  /** What a client or a log gets of it as JSON. */
  toJSON(): { attributeNames: readonly string[] } {
    return { attributeNames: this.attributes.names };
  }

  /** What `console.log` shows. */
  [inspect.custom](): string {
    return `Session { ${this.attributes.names.map(readable).join(', ')} }`;
  }
}

/** Who saves and deletes a session: its repository, or the request that it belongs to. */
export interface SessionOwner<S> {
  save(session: S): Promise<void>;
  invalidate(session: S): Promise<void>;
  /**
   * Called before the id changes, and before a new session gets its first attribute.
   *
   * @param action - what is about to be done, such as `create a session`
   * @throws SessionResponseCommittedError when the client could no longer be told the id
   */
  refuseIfAnnounced?(action: string): void;
}

/** What a session needs to know of its repository. */
export interface SessionSetup {
  readonly codec: SessionCodec;
  readonly flushMode: FlushMode;
  readonly saveMode: SaveMode;
  readonly generateChangedId: (previousId: string) => string;
}

/** How a session in memory starts. */
export interface SessionInput<S> {
  readonly setup: SessionSetup;
  readonly owner: SessionOwner<S>;
  readonly id: string;
  readonly times: SessionTimes;
  readonly attributes: AttributeLookup;
  readonly isNew: boolean;
  /** Whether it must be saved though nobody changes it. */
  readonly isOutdated: boolean;
}

/** A save in progress: what is written, and what to tell the session when it is. */
export interface PendingSessionChange extends SessionChange {
  readonly attributes: ReadonlyMap<string, PendingAttributeChange>;
}

/** A session as an index function sees it: reading changes nothing and counts as no access. */
export interface SessionView {
  readonly creationTime: Date;
  getAttribute<T>(name: string): T | undefined;
}
