import { type IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { candidateIdsOf } from './session-exchange.js';

const REQUEST = {} as IncomingMessage;

function idsOf(sent: readonly string[], sessionIdPattern = /^id-\d+$/): readonly string[] {
  const sessionIdResolver = {
    resolveSessionIds: () => sent,
    setSessionId: () => undefined,
    expireSession: () => undefined,
  };
  return candidateIdsOf(REQUEST, { sessionIdPattern, sessionIdResolver });
}

describe(candidateIdsOf, () => {
  it('leaves out what could be none of ours, and what comes twice', () => {
    expect(idsOf(['id-1', 'x', 'id-2', 'id-1', ''])).toEqual(['id-1', 'id-2']);
  });

  it('gives sixteen ids of a possible form, however many others stand before them', () => {
    const possible = Array.from({ length: 300 }, (_, number) => `id-${number}`);
    expect(idsOf([...Array<string>(300).fill('x'), ...possible])).toEqual(possible.slice(0, 16));
  });

  it.each([/^id-\d+$/g, /^id-\d+$/y])('says the same at every call by %s', (pattern) => {
    for (let i = 0; i < 3; i++) expect(idsOf(['id-1', 'id-2'], pattern)).toEqual(['id-1', 'id-2']);
  });
});
