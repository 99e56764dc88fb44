import { describe, expect, it } from '@jest/globals';
import { SessionOptionError } from '../session/session.errors.js';
import { roleHierarchy } from './authorization.js';

describe(roleHierarchy, () => {
  const reachable = roleHierarchy({
    OWNER: ['ADMIN', 'AUDITOR'],
    ADMIN: ['EDITOR'],
    EDITOR: ['USER'],
    AUDITOR: ['USER'],
  });

  it.each([
    [['OWNER'], ['OWNER', 'ADMIN', 'EDITOR', 'USER', 'AUDITOR']],
    [['EDITOR'], ['EDITOR', 'USER']],
    [['USER'], ['USER']],
    [
      ['EDITOR', 'AUDITOR'],
      ['EDITOR', 'USER', 'AUDITOR'],
    ],
    [['orders:write'], ['orders:write']],
    [[], []],
  ])('%j reach %j', (given, expected) => {
    expect(reachable(given)).toEqual(expected);
  });

  it('knows no authorities of the prototype', () => {
    expect(reachable(['constructor', '__proto__', 'toString'])).toEqual([
      'constructor',
      '__proto__',
      'toString',
    ]);
  });

  it.each([
    [{ A: ['A'] }, 'A > A'],
    [{ A: ['B'], B: ['A'] }, 'A > B > A'],
    [{ X: ['A'], A: ['B'], B: ['C'], C: ['A'] }, 'A > B > C > A'],
  ])('refuses the circle in %j and shows it', (includes: Record<string, string[]>, circle) => {
    expect(() => roleHierarchy(includes)).toThrow(SessionOptionError);
    expect(() => roleHierarchy(includes)).toThrow(`got ${circle}.`);
  });

  it('does not take two ways to one authority for a circle', () => {
    const diamond = roleHierarchy({ A: ['B', 'C'], B: ['D'], C: ['D'], D: [] });
    expect(diamond(['A'])).toEqual(['A', 'B', 'D', 'C']);
  });
});
