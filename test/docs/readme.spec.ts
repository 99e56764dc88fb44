import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { DEFAULT_COOKIE_OPTIONS } from '../../libs/redis-session/src/http/session-id/cookie-options.js';
import { DEFAULT_CSRF_OPTIONS } from '../../libs/redis-session/src/nest/options/security.options.js';
import { DEFAULT_INDEXED_OPTIONS } from '../../libs/redis-session/src/nest/options/indexed.options.js';
import {
  DEFAULT_LOGOUT_OPTIONS,
  DEFAULT_SECURITY_OPTIONS,
} from '../../libs/redis-session/src/nest/options/security.options.js';
import { DEFAULT_REMEMBER_ME_OPTIONS } from '../../libs/redis-session/src/security/remember-me.js';
import { DEFAULT_OPTIONS } from 'nestjs-redis-session';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** Name → text of the section of each option of the module. */
const sections = new Map(
  readme
    .split(/^## /m)
    .find((part) => part.startsWith('Options\n'))!
    .split(/^##### /m)
    .slice(1)
    .map((section) => [/^`(\w+)`/.exec(section)![1]!, section]),
);

/** What the README says where the default is no literal. */
const WORDS: Readonly<Record<string, RegExp>> = {
  clock: /`Date\.now`/,
  codec: /JSON/,
  cookie: /An object of/,
  logger: /`Logger`/,
  redis: /Required unless/,
  sessionIdGenerator: /32 random bytes/,
};

function asDefault(value: unknown): RegExp {
  const literal = value === undefined ? 'undefined' : JSON.stringify(value).replaceAll('"', "'");
  return new RegExp(`default value is \`${literal.replace(/[[\]{}]/g, '\\$&')}\``);
}

describe('README', () => {
  it.each(Object.keys(DEFAULT_OPTIONS))(
    'has a section on the option %s with its default',
    (name) => {
      const section = sections.get(name)?.replace(/\s+/g, ' ');
      expect(section).toMatch(
        WORDS[name] ?? asDefault(DEFAULT_OPTIONS[name as keyof typeof DEFAULT_OPTIONS]),
      );
    },
  );

  it('has no section on an option that does not exist', () => {
    expect([...sections.keys()].filter((name) => !(name in DEFAULT_OPTIONS))).toEqual([]);
  });

  describe.each([
    ['cookie', DEFAULT_COOKIE_OPTIONS],
    ['indexed', DEFAULT_INDEXED_OPTIONS],
    ['security', DEFAULT_SECURITY_OPTIONS],
    ['security', DEFAULT_CSRF_OPTIONS],
    ['security', DEFAULT_LOGOUT_OPTIONS],
    ['security', DEFAULT_REMEMBER_ME_OPTIONS],
  ])('on the option %s', (option, defaults) => {
    it.each(Object.keys(defaults))('has a row on its member %s', (name) => {
      expect(sections.get(option)).toMatch(new RegExp(`^\\|[^|]*\\b${name}\`[^|]*\\|`, 'm'));
    });
  });

  it('names only test files that exist', () => {
    const files = [...readme.matchAll(/`((?:test|http)\/[\w/.-]+\.ts)`/g)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      const path = file.startsWith('http/') ? `libs/redis-session/src/${file}` : file;
      expect(() => readFileSync(new URL(`../../${path}`, import.meta.url))).not.toThrow();
    }
  });
});
