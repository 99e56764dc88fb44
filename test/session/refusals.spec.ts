import { deserialize, serialize } from 'node:v8';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  type RedisSessionError,
  SessionCorruptError,
  SessionEncodingError,
  SessionInvalidatedError,
  SessionLimitError,
  SessionOptionError,
  SessionStoreError,
} from 'nestjs-redis-session';
import { MapSessionRepository, type StoredSession } from 'nestjs-redis-session/store';
import { MapIndexedSessionRepository } from '../../libs/redis-session/src/session/indexed/map-indexed-session-repository.js';
import { type MapSession } from '../../libs/redis-session/src/session/map-session.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { INDEX_OPTIONS } from '../support/index-options.js';

const PLAIN = 'Store plain data, or set the option codec.';
const ENDED =
  'it was deleted or has expired since it was read (another request may have logged out). Read it again or start a new one.';

/** Keeps what JSON cannot hold, too. */
const codec = {
  encode: (value: unknown) => serialize(value).toString('base64'),
  decode: (text: string): unknown => deserialize(Buffer.from(text, 'base64')),
};

let warnings: string[];
let nowMs: number;
const logger = {
  warn: (message: string) => void warnings.push(message),
  error: (message: string) => void warnings.push(message),
};
const clock = (): number => nowMs;

beforeEach(() => {
  warnings = [];
  nowMs = 1_700_000_000_000;
});

async function saved(
  repository: MapSessionRepository,
  attributes: Record<string, unknown> = { cart: [] },
): Promise<MapSession> {
  const session = repository.createSession();
  for (const [name, value] of Object.entries(attributes)) session.setAttribute(name, value);
  await session.save();
  return session;
}

/** @returns the attribute as another request reads it */
async function storedIn(
  repository: MapSessionRepository,
  { id }: MapSession,
  name = 'cart',
): Promise<unknown> {
  return (await repository.findById(id))?.getAttribute(name);
}

/** An error of the class of `refusal`, or of one that extends it, with the same message. */
async function expectRefusal(act: () => unknown, refusal: RedisSessionError): Promise<void> {
  await expect(Promise.resolve().then(act)).rejects.toThrow(refusal);
}

describe('A session that has ended meanwhile', () => {
  it.each<[string, (session: MapSession) => unknown]>([
    ['read its creation time', (session) => session.creationTime],
    ['read its last access', (session) => session.lastAccessedTime],
    ['ask whether it is new', (session) => session.isNew],
    ['list its attributes', (session) => session.attributeNames],
    ['read an attribute', (session) => session.getAttribute('cart')],
    ['set an attribute', (session) => session.setAttribute('cart', 1)],
    ['update an attribute', (session) => session.update('cart', () => 1)],
    ['change its id', (session) => session.changeSessionId()],
    ['invalidate it again', (session) => session.invalidate()],
  ])('cannot be used to %s', async (action, use) => {
    const session = await saved(new MapSessionRepository());
    await session.invalidate();
    await expectRefusal(
      () => use(session),
      new SessionInvalidatedError(`Cannot use the session to ${action}: ${ENDED}`),
    );
  });

  it('cannot be saved, and what the error says works: a new one, or what is read again', async () => {
    const repository = new MapSessionRepository();
    const { id } = await saved(repository);
    const late = await repository.findById(id);
    await repository.deleteById(id);
    late?.setAttribute('cart', ['tea']);
    await expectRefusal(
      () => late?.save(),
      new SessionInvalidatedError(`Cannot save the session: ${ENDED}`),
    );
    expect(await repository.findById(id)).toBeUndefined();
    const next = await saved(repository, { cart: ['tea'] });
    expect(await storedIn(repository, next)).toEqual(['tea']);
  });
});

describe('An attribute that cannot be stored', () => {
  it.each([
    ['a Map', new Map([['tea', 1]]), 'cart is a Map'],
    ['a bigint', { price: 1n }, 'cart.price is a bigint'],
    ['a number that is none', { price: Number.NaN }, 'cart.price is not a finite number'],
  ])(
    'is refused with its path, and stored as plain data or by a codec: %s',
    async (_, value, problem) => {
      const repository = new MapSessionRepository({ logger });
      const session = await saved(repository);
      session.setAttribute('cart', value);
      await expectRefusal(
        () => session.save(),
        new SessionEncodingError(`Cannot save the session: ${problem}. ${PLAIN}`),
      );
      session.setAttribute('cart', { price: 19.9 });
      await session.save();
      expect(await storedIn(repository, session)).toEqual({ price: 19.9 });
      const withCodec = new MapSessionRepository({ codec });
      const other = await saved(withCodec, { cart: value });
      expect(await storedIn(withCodec, other)).toEqual(value);
    },
  );

  it.each([
    [{ 'a\0b': 1 }, '"a\\u0000b" has a NUL character in its name or its text. Leave it out.'],
  ])('is refused with a NUL character, and stored without it', async (attributes, sentence) => {
    const repository = new MapSessionRepository({ logger });
    await expectRefusal(
      () => saved(repository, attributes),
      new SessionEncodingError(`Cannot save the session: ${sentence}`),
    );
    const session = await saved(repository, { ab: 1 });
    expect(await storedIn(repository, session, 'ab')).toBe(1);
  });

  it('is refused when the codec throws, and stored when the codec takes it', async () => {
    const cartsOnly = {
      ...codec,
      encode: (value: unknown) => {
        if (!Array.isArray(value)) throw new TypeError('secret detail');
        return codec.encode(value);
      },
    };
    const repository = new MapSessionRepository({ codec: cartsOnly, logger });
    const sentence = 'cart is refused by the codec. Store a value that it takes.';
    await expectRefusal(
      () => saved(repository, { cart: 'tea' }),
      new SessionEncodingError(`Cannot save the session: ${sentence}`),
    );
    const session = await saved(repository, { cart: ['tea'] });
    expect(await storedIn(repository, session)).toEqual(['tea']);
  });

  it.each(['new-session', 'error'] as const)(
    'is told of when it cannot be decoded (onCorrupt: %j), until it is removed or its codec is back',
    async (onCorrupt) => {
      const sentence =
        'Cannot decode the session attribute "cart": its stored value is not of this codec. Remove it, or configure the codec that wrote it.';
      const sessions = new Map<string, StoredSession>();
      const writer = new MapSessionRepository({ codec }, sessions);
      const reader = new MapSessionRepository({ onCorrupt, logger }, sessions);
      const session = await saved(writer, { cart: ['tea'] });
      const read = await reader.findById(session.id);
      if (onCorrupt === 'error') {
        await expectRefusal(() => read?.getAttribute('cart'), new SessionCorruptError(sentence));
      } else {
        expect(read?.getAttribute('cart')).toBeUndefined();
        expect(warnings).toEqual([sentence]);
      }
      expect(await storedIn(writer, session)).toEqual(['tea']);
      read?.removeAttribute('cart');
      await read?.save();
      warnings = [];
      expect(await storedIn(reader, session)).toBeUndefined();
      expect(warnings).toEqual([]);
    },
  );
});

describe('An update that other processes disturb', () => {
  /** Another process changes the attribute before each of the first `disturbances` saves. */
  class DisturbedRepository extends MapSessionRepository {
    constructor(private disturbances: number) {
      super({ logger });
    }

    protected override write(
      ...[change]: Parameters<MapSessionRepository['write']>
    ): ReturnType<MapSessionRepository['write']> {
      if (change.isNew || this.disturbances-- <= 0) return super.write(change);
      const current = new Map([['visits', String(this.disturbances)]]);
      return Promise.resolve({ kind: 'conflict', current });
    }
  }

  it('fails after 32 attempts, and works when the request is sent again', async () => {
    const repository = new DisturbedRepository(32);
    const { id } = await saved(repository, { visits: 1 });
    const visit = async () => {
      const session = await repository.findById(id);
      return session?.update<number>('visits', (visits = 0) => visits + 1);
    };
    await expectRefusal(
      visit,
      new SessionStoreError(
        'Cannot save the session: other processes changed an attribute under update 32 times in a row. Send the request again, or update the attribute less often.',
      ),
    );
    expect(await visit()).toBe(2);
  });
});

describe('A login beyond maximumSessions with "reject-login"', () => {
  const login = async (repository: MapIndexedSessionRepository): Promise<MapSession> => {
    const session = repository.createSession();
    session.setAttribute('SECURITY_CONTEXT', { authentication: { name: 'kim', authorities: [] } });
    await session.save();
    return session;
  };

  it.each<[string, (session: MapSession) => unknown]>([
    ['logs out elsewhere', (session) => session.invalidate()],
    ['waits until one expires', () => (nowMs += 1_801_000)],
  ])('is refused, and works once the user %s', async (_way, remedy) => {
    const repository = new MapIndexedSessionRepository({
      ...DEFAULT_REPOSITORY_OPTIONS,
      commandTimeoutMs: 2000,
      clock,
      logger,
      indexed: { ...INDEX_OPTIONS, maximumSessions: 1, maximumSessionsPolicy: 'reject-login' },
    });
    const first = await login(repository);
    await expectRefusal(
      () => login(repository),
      new SessionLimitError(
        'Cannot log in: the user has as many sessions as allowed. Log out elsewhere, or wait until one expires.',
      ),
    );
    await remedy(first);
    expect((await login(repository)).isNew).toBe(false);
  });
});

describe('maxInactiveIntervalSeconds of a session', () => {
  it.each([0, 1.5, Number.NaN])(
    'is refused when it is %p, and takes what the error names',
    async (seconds) => {
      const session = await saved(new MapSessionRepository());
      await expectRefusal(
        () => (session.maxInactiveIntervalSeconds = seconds),
        new SessionOptionError(
          `maxInactiveIntervalSeconds must be a positive integer, or a negative one (never), got ${seconds}.`,
        ),
      );
      for (const right of [60, -1]) {
        session.maxInactiveIntervalSeconds = right;
        await session.save();
        expect(session.maxInactiveIntervalSeconds).toBe(right);
      }
    },
  );
});
