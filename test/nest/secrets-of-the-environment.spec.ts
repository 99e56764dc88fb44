import { describe, expect, it } from '@jest/globals';
import { RedisSessionModule } from 'nestjs-redis-session';
import { migrateFrom } from 'nestjs-redis-session/migration';

const redis = 'redis://127.0.0.1:6379';

/** Their types take `process.env.NAME` as it is. */
describe('a secret of a variable that is not set', () => {
  const secret = process.env['NO_SUCH_VARIABLE'];

  it.each([
    ['cookie.secrets', () => RedisSessionModule.forRoot({ redis, cookie: { secrets: [secret] } })],
    [
      'encryption.keys',
      () => RedisSessionModule.forRoot({ redis, encryption: { keys: [secret] } }),
    ],
    ['secrets', () => migrateFrom({ from: 'express-session', phase: 'share', secrets: [secret] })],
  ])('is refused at start by the name of its option: %s', (name, start) => {
    expect(start).toThrow(`${name} must be a list of`);
  });
});
