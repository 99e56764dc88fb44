import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { type SecurityContext } from './security-context.js';
import { SecurityContextHolder } from './security-context.js';

const KIM = contextOf('kim');
const ADMIN = contextOf('admin');
const name = () => SecurityContextHolder.getAuthentication()?.name;

describe('SecurityContextHolder', () => {
  it('knows nobody outside a request', () => {
    expect(SecurityContextHolder.getContext()).toEqual({ authentication: undefined });
    expect(SecurityContextHolder.getAuthentication()).toBeUndefined();
  });
});

describe('SecurityContextHolder.runAs', () => {
  it('gives back what the action gives back', () => {
    expect(SecurityContextHolder.runAs(KIM, () => 42)).toBe(42);
  });

  it('brings the context before it back, also when the action throws', () => {
    SecurityContextHolder.runAs(KIM, () => {
      expect(SecurityContextHolder.runAs(ADMIN, name)).toBe('admin');
      expect(name()).toBe('kim');
      const failing = () => SecurityContextHolder.runAs(ADMIN, () => decodeURI('%'));
      expect(failing).toThrow(URIError);
      expect(name()).toBe('kim');
    });
    expect(name()).toBeUndefined();
  });

  it('holds for what the action awaits, in turns with others', async () => {
    const seen = await Promise.all(
      [KIM, ADMIN, KIM].map((context) =>
        SecurityContextHolder.runAs(context, async () => {
          const names = [name()];
          for (let turn = 0; turn < 3; turn++) {
            await nextTurn();
            names.push(name());
          }
          return names.join(' ');
        }),
      ),
    );
    expect(seen).toEqual(['kim kim kim kim', 'admin admin admin admin', 'kim kim kim kim']);
  });

  it('runs a listener as whoever emits, not as whoever listens', () => {
    const emitter = new EventEmitter();
    const seen: unknown[] = [];
    SecurityContextHolder.runAs(KIM, () => emitter.on('done', () => seen.push(name())));
    SecurityContextHolder.runAs(ADMIN, () => emitter.emit('done'));
    expect(seen).toEqual(['admin']);
  });
});

function contextOf(user: string): SecurityContext {
  return {
    authentication: {
      name: user,
      principal: { name: user },
      authorities: [],
      kind: 'full',
      authenticatedAt: 0,
    },
  };
}
