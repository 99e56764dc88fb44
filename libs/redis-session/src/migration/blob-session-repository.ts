import { type SessionRepositoryOptions } from '../session/repository-options.js';
import { randomBytes } from 'node:crypto';
import { jsonSessionCodec } from '../session/attributes/codec.js';
import {
  conflictOf,
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from '../session/session-change.js';
import { SESSION_COOKIE_ATTRIBUTE } from '../session/attributes/attribute-names.js';
import { SessionCorruptError, SessionEncodingError } from '../session/session.errors.js';
import { StoredSessionRepository } from '../session/stored-session-repository.js';
import {
  movedTo,
  lifetimeOf,
  parseBlob,
  type SessionBlob,
  stringifyBlob,
  openOwnAttributes,
  sealOwnAttributes,
} from './session-blob.js';
import { type SessionBlobCommands } from './session-blob.commands.js';

/** What the other library is told in its set-up. */
export interface BlobLayout {
  /** How long browsers keep the cookie unless a session says something else: seconds, null = until they are closed. */
  readonly cookieMaxAgeSeconds: number | null;
  /** Settings of the cookie that a new session is stored with. */
  readonly cookieSettings: Readonly<Record<string, unknown>>;
  readonly keyPrefix: string;
  /** No session lives longer without a request, whatever its cookie says: seconds. */
  readonly maxAgeSeconds: number;
  /** Sign the attributes of this library. */
  readonly secrets: readonly string[];
  /** Seconds that a session lives whose cookie has no age. */
  readonly ttlSeconds: number;
}

interface BlobSessionRepositoryInput {
  readonly commands: SessionBlobCommands;
  readonly layout: BlobLayout;
  readonly options: SessionRepositoryOptions;
  /** Ends the session that one of these has become meanwhile. */
  readonly deleteMoved: (id: string) => Promise<void>;
}

/**
 * Keeps sessions as express-session and @fastify/session do with connect-redis, so that both work on the same ones.
 *
 * ```
 * sess:<id>   {"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},"cart":{"items":[]}}
 * ```
 *
 * A save replaces the blob that it was made from, or is made again: unlike there, it overwrites no change of others.
 */
export class BlobSessionRepository extends StoredSessionRepository {
  private readonly commands: SessionBlobCommands;
  private readonly layout: BlobLayout;

  constructor(private readonly input: BlobSessionRepositoryInput) {
    const sessionIdGenerator = () => randomBytes(24).toString('base64url');
    const atRest = { encryption: undefined, hashIds: false as const };
    super({ ...input.options, ...atRest, codec: jsonSessionCodec, sessionIdGenerator });
    this.commands = input.commands;
    this.layout = input.layout;
  }

  /** A session that was moved is none. */
  protected override async load(
    id: string,
    accessTimeMs?: number,
  ): Promise<StoredSession | undefined> {
    const key = this.keyOf(id);
    const text = await this.commands.read(key);
    if (text === undefined || movedTo(text) !== undefined) return undefined;
    const blob = this.blobOf(text, id);
    if (accessTimeMs !== undefined)
      await this.commands.renew(key, this.ttlMsOf(lifetimeOf(blob, this.layout)));
    return this.toStored(blob);
  }

  protected override async write(change: SessionChange): Promise<SaveOutcome> {
    if (change.isNew) return this.create(change);
    const storedKey = this.keyOf(change.storedId);
    for (;;) {
      const seen = await this.commands.read(storedKey);
      if (seen === undefined || movedTo(seen) !== undefined) return { kind: 'missing' };
      const blob = this.blobOf(seen, change.storedId);
      const conflict = conflictOf(change, (name) => JSON.stringify(blob.attributes.get(name)));
      if (conflict) return conflict;
      const next = this.apply(change, blob);
      const replacement = {
        seen,
        text: this.textOf(next, change.id) + paddingOf(change),
        ttlMs: this.ttlMsOf(lifetimeOf(next, this.layout)),
      };
      const isDone =
        change.id === change.storedId
          ? await this.commands.replace(storedKey, replacement)
          : await this.rename(change, replacement);
      if (isDone) return { kind: 'saved' };
    }
  }

  protected override async delete(id: string): Promise<void> {
    for (;;) {
      const seen = await this.commands.read(this.keyOf(id));
      if (seen === undefined) return;
      const movedId = movedTo(seen);
      if (movedId !== undefined) await this.input.deleteMoved(movedId);
      if (await this.commands.replace(this.keyOf(id), { seen, text: undefined })) return;
    }
  }

  private async create(change: SessionChange): Promise<SaveOutcome> {
    const cookie = this.layout.cookieSettings;
    const blob = this.apply(change, { cookie, attributes: new Map() });
    const isDone = await this.commands.replace(this.keyOf(change.id), {
      seen: undefined,
      text: this.textOf(blob, change.id),
      ttlMs: this.ttlMsOf(lifetimeOf(blob, this.layout)),
    });
    return { kind: isDone ? 'saved' : 'missing' };
  }

  /** In two steps, as the keys may be on different servers; the old id is dead before anybody hears of the new one. */
  private async rename(
    { id, storedId }: SessionChange,
    { seen, text, ttlMs }: { seen: string; text: string; ttlMs: number },
  ): Promise<boolean> {
    await this.commands.replace(this.keyOf(id), { seen: undefined, text, ttlMs });
    if (await this.commands.replace(this.keyOf(storedId), { seen, text: undefined })) return true;
    await this.commands.replace(this.keyOf(id), { seen: text, text: undefined });
    return false;
  }

  private apply(change: SessionChange, { cookie, attributes }: SessionBlob): SessionBlob {
    const next = new Map(attributes);
    let seconds = lifetimeOf({ cookie, attributes }, this.layout);
    if (change.isNew) seconds = this.layout.cookieMaxAgeSeconds;
    for (const [name, { text }] of change.attributes) {
      if (name === 'cookie')
        throw SessionEncodingError.create(
          'cookie',
          'is a name that the other library uses itself',
          'Choose another name.',
        );
      const value = text === undefined ? undefined : (JSON.parse(text) as unknown);
      if (name === SESSION_COOKIE_ATTRIBUTE) seconds = this.secondsOf(value);
      else if (value === undefined) next.delete(name);
      else next.set(name, value);
    }
    const originalMaxAge = seconds === null ? null : seconds * 1000;
    const expires =
      originalMaxAge === null
        ? null
        : new Date(this.options.clock() + originalMaxAge).toISOString();
    return { cookie: { ...cookie, originalMaxAge, expires }, attributes: next };
  }

  private secondsOf(mark: unknown): number | null {
    const { maxAgeSeconds } = (mark ?? {}) as { maxAgeSeconds?: number | null };
    return maxAgeSeconds === undefined ? this.layout.cookieMaxAgeSeconds : maxAgeSeconds;
  }

  private toStored(blob: SessionBlob): StoredSession {
    const now = this.options.clock();
    const seconds = lifetimeOf(blob, this.layout);
    const attributes = new Map(
      [...blob.attributes].map(([name, value]) => [name, JSON.stringify(value)]),
    );
    if (seconds !== this.layout.cookieMaxAgeSeconds)
      attributes.set(SESSION_COOKIE_ATTRIBUTE, JSON.stringify({ maxAgeSeconds: seconds }));
    const maxInactiveInterval = Math.max(1, seconds ?? this.layout.ttlSeconds);
    return { creationTime: now, lastAccessedTime: now, maxInactiveInterval, attributes };
  }

  private ttlMsOf(seconds: number | null): number {
    return Math.max(1, (seconds ?? this.layout.ttlSeconds) * 1000);
  }

  /** @throws SessionCorruptError */
  private blobOf(text: string, id: string): SessionBlob {
    return openOwnAttributes(readable(text), id, this.layout.secrets);
  }

  private textOf(blob: SessionBlob, id: string): string {
    return stringifyBlob(sealOwnAttributes(blob, id, this.layout.secrets));
  }

  private keyOf(id: string): string {
    return this.layout.keyPrefix + id;
  }
}

/** @throws SessionCorruptError */
function readable(text: string): SessionBlob {
  const blob = parseBlob(text);
  if (typeof blob !== 'string') return blob;
  throw new SessionCorruptError(
    `Cannot read a session of the other library: it is ${blob}. Delete the key; the client gets a new session.`,
  );
}

/**
 * White space, which means nothing in JSON, that makes the text of a save with updates unique: the same update of another
 * one must not be taken for this save, sent again after the connection broke.
 */
function paddingOf({ attributes }: SessionChange): string {
  const hasUpdates = [...attributes.values()].some(({ basedOn }) => basedOn);
  return hasUpdates ? Array.from(randomBytes(32), (byte) => (byte & 1 ? ' ' : '\t')).join('') : '';
}
