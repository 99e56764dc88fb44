import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isBrowserNavigation } from '../../../libs/redis-session/src/http/answers/request-matchers.js';
import { toSafeReturnPath } from '../../../libs/redis-session/src/http/saved-requests/safe-return-path.js';
import { verify } from '../../../libs/redis-session/src/http/session-id/cookie-signature.js';
import {
  decodeCookieValue,
  findCookieValues,
} from '../../../libs/redis-session/src/http/session-id/cookie-serializer.js';
import { jsonSessionCodec } from '../../../libs/redis-session/src/session/attributes/codec.js';
import { requestWith } from '../../support/http/node-messages.js';
import { startStepCounter, type StepCounter } from '../../support/faults/count-steps.js';

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

/** What takes a text of a client, and the texts that could make it work for long. */
const PARSERS: [parser: string, parse: (text: string) => unknown, parts: string[]][] = [
  [
    'the header Cookie',
    (text) => [...findCookieValues(text, 'SESSION')],
    ['SESSION=', '; SESSION=', 'SESSION=x; ', '   SESSION=', ';', '="";', 'SESSION="a" ', 'S'],
  ],
  ['a cookie', (text) => decodeCookieValue(text, 'plain'), ['%', '%41', '%E0%A4', 'a']],
  ['a cookie in base64', (text) => decodeCookieValue(text, 'base64'), ['=', 'YQ==', 'a\t', '!']],
  ['a signed cookie', (text) => verify(text, ['s'.repeat(32), 't'.repeat(32)]), ['.', 'a.', 'a']],
  [
    'the page to go back to',
    (text) => toSafeReturnPath(`/${text}`),
    ['%25', '%2525', '../', '/', '%u002f', '\\', '?', '%', './a'],
  ],
  [
    'the header Accept',
    (accept) => isBrowserNavigation(requestWith({ accept })),
    ['text/html;', ',', 'a/b,', ' ;q=0', '*/*,', 'text/html;q=0,', ' ', '";,'],
  ],
  [
    'JSON that is stored, read and stored again',
    (text) => jsonSessionCodec.encode(jsonSessionCodec.decode(`{"a":[${text}0]}`, 'name'), 'name'),
    ['0,', '[],', '{"__proto__":{}},', '"\\u0000",', `${nested(40)},`],
  ],
];

const CASES = PARSERS.flatMap(([parser, parse, parts]) =>
  parts.map((part) => ({ parser, part: JSON.stringify(part), parse, text: part })),
);

describe('Text of a client that is made to take long', () => {
  let counter: StepCounter;

  beforeAll(async () => {
    counter = await startStepCounter();
  });

  afterAll(() => counter.stop());

  it.each(CASES)(
    'costs at most twice the steps when it is twice as long: $parser, made of $part',
    async (attack) => {
      const { parse, text } = attack;
      const stepsFor = (times: number) => counter.count(() => parse(text.repeat(times)));
      const [short, long] = [await stepsFor(400), await stepsFor(800)];
      expect(short).toBeGreaterThan(0);
      // The first and the last part may be cheaper than those between.
      expect(long).toBeLessThanOrEqual(2 * short + 20);
    },
  );
});
