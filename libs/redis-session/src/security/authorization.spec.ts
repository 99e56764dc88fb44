import { describe, expect, it } from '@jest/globals';
import { type Authentication } from './authentication.js';
import { authorize, type AuthorizationOutcome, type AuthorizationRule } from './authorization.js';
import { roleHierarchy } from './authorization.js';

const kim: Authentication = {
  name: 'kim',
  principal: { id: 7 },
  authorities: ['USER', 'orders:read'],
  kind: 'full',
  authenticatedAt: 0,
};
const remembered: Authentication = { ...kim, kind: 'remember-me' };
const authorities = (mode: 'any' | 'all', ...names: string[]): AuthorizationRule => ({
  kind: 'authorities',
  mode,
  authorities: names,
});

function outcomeOf(
  rule: AuthorizationRule,
  authentication: Authentication | undefined,
): Promise<AuthorizationOutcome> {
  return Promise.resolve(authorize([rule], { authentication, resource: undefined }));
}

describe(authorize, () => {
  it.each<[AuthorizationRule, AuthorizationOutcome, AuthorizationOutcome, AuthorizationOutcome]>([
    [{ kind: 'public' }, 'granted', 'granted', 'granted'],
    [{ kind: 'authenticated' }, 'unauthenticated', 'granted', 'granted'],
    [{ kind: 'fully-authenticated' }, 'unauthenticated', 'insufficient', 'granted'],
    [authorities('any', 'ADMIN', 'USER'), 'unauthenticated', 'granted', 'granted'],
    [authorities('any', 'ADMIN'), 'unauthenticated', 'denied', 'denied'],
    [authorities('all', 'USER', 'orders:read'), 'unauthenticated', 'granted', 'granted'],
    [authorities('all', 'USER', 'ADMIN'), 'unauthenticated', 'denied', 'denied'],
    [authorities('any'), 'unauthenticated', 'denied', 'denied'],
    [authorities('any', 'user'), 'unauthenticated', 'denied', 'denied'],
    [{ kind: 'by', decide: () => true }, 'granted', 'granted', 'granted'],
    [{ kind: 'by', decide: () => Promise.resolve(false) }, 'unauthenticated', 'denied', 'denied'],
  ])('%j: anonymous %s, remembered %s, logged in %s', async (rule, ...outcomes) => {
    const users = [undefined, remembered, kim];
    expect(await Promise.all(users.map((user) => outcomeOf(rule, user)))).toEqual(outcomes);
  });

  it('grants when there are no rules', async () => {
    expect(await authorize([], { authentication: undefined, resource: 1 })).toBe('granted');
  });

  it('needs all rules, and tells what the first refusal says', async () => {
    const full: AuthorizationRule = { kind: 'fully-authenticated' };
    const request = { authentication: remembered, resource: undefined };
    expect(await authorize([{ kind: 'public' }, full], request)).toBe('insufficient');
    expect(await authorize([authorities('any', 'ADMIN'), full], request)).toBe('denied');
  });

  it('shows an own rule the user and the resource', async () => {
    const isOwn: AuthorizationRule<{ owner: string }> = {
      kind: 'by',
      decide: (user, { owner }) => user?.name === owner,
    };
    const request = { authentication: kim, resource: { owner: 'kim' } };
    expect(await authorize([isOwn], request)).toBe('granted');
    expect(await authorize([isOwn], { ...request, resource: { owner: 'lee' } })).toBe('denied');
  });

  it('does not take a truthy result of an own rule for yes', async () => {
    const decide = (() => 'no') as unknown as () => boolean;
    expect(await outcomeOf({ kind: 'by', decide }, kim)).toBe('denied');
  });

  it('fails with the error of an own rule, and grants nothing', async () => {
    const decide = () => Promise.reject(new Error('database'));
    await expect(outcomeOf({ kind: 'by', decide }, kim)).rejects.toThrow('database');
  });

  it('counts the authorities that others include', async () => {
    const rule = authorities('all', 'EDITOR', 'USER');
    const admin = { ...kim, authorities: ['ADMIN'] };
    const request = { authentication: admin, resource: undefined };
    const reachableAuthorities = roleHierarchy({ ADMIN: ['EDITOR'], EDITOR: ['USER'] });
    expect(await authorize([rule], request)).toBe('denied');
    expect(await authorize([rule], { ...request, reachableAuthorities })).toBe('granted');
  });
});
