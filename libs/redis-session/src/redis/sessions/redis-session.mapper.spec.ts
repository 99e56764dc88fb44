import { describe, expect, it } from '@jest/globals';
import { type SessionChange } from '../../session/session-change.js';
import { SessionCorruptError } from '../../session/session.errors.js';
import { fromConflict, fromHash, toHash } from './redis-session.mapper.js';

const times = {
  creationTime: '1404360000000',
  lastAccessedTime: '1404360000001',
  maxInactiveInterval: '-1',
};

const unchanged: SessionChange = {
  storedId: 'id',
  id: 'id',
  isNew: false,
  creationTime: 1,
  lastAccessedTime: 2,
  maxInactiveInterval: undefined,
  attributes: new Map(),
};

describe('fromHash', () => {
  it('maps times and attributes, and ignores fields of others', () => {
    const hash = { ...times, 'sessionAttr:cart': '[1]', 'sessionAttr:': '2', other: 'x' };
    const stored = fromHash(new Map(Object.entries(hash)));
    expect(stored).toMatchObject({
      creationTime: 1404360000000,
      lastAccessedTime: 1404360000001,
      maxInactiveInterval: -1,
    });
    expect([...(stored?.attributes ?? [])]).toEqual([
      ['cart', '[1]'],
      ['', '2'],
    ]);
  });

  it('maps an empty hash to no session', () => {
    expect(fromHash(new Map())).toBeUndefined();
  });

  it.each(Object.keys(times))('needs the field %s', (field) => {
    const entries = Object.entries(times).filter(([name]) => name !== field);
    expect(() => fromHash(new Map(entries))).toThrow(SessionCorruptError);
    expect(() => fromHash(new Map(entries))).toThrow(`its field "${field}" is missing`);
  });
});

describe('toHash', () => {
  it('names nothing that did not change but the access', () => {
    expect(toHash(unchanged)).toEqual({
      creationTime: '',
      lastAccessedTime: '2',
      maxInactiveInterval: '',
      set: [],
      remove: [],
      updates: [],
    });
  });

  it('sets, removes and updates attributes', () => {
    const attributes = new Map([
      ['set', { text: '1' }],
      ['removed', { text: undefined }],
      ['updated', { text: '2', basedOn: { text: '1' } }],
      ['added', { text: '3', basedOn: { text: undefined } }],
      ['ended', { text: undefined, basedOn: { text: '' } }],
    ]);
    const change = { ...unchanged, isNew: true, maxInactiveInterval: 1800, attributes };
    expect(toHash(change)).toEqual({
      creationTime: '1',
      lastAccessedTime: '2',
      maxInactiveInterval: '1800',
      set: ['sessionAttr:set', '1', 'sessionAttr:updated', '2', 'sessionAttr:added', '3'],
      remove: ['sessionAttr:removed', 'sessionAttr:ended'],
      updates: [
        ...['sessionAttr:updated', '1', '1'],
        ...['sessionAttr:added', '0', ''],
        ...['sessionAttr:ended', '1', ''],
      ],
    });
  });
});

describe('fromConflict', () => {
  it('tells an absent attribute from an empty one', () => {
    const reply = ['sessionAttr:a', '1', '', 'sessionAttr:b', '0', ''];
    expect(fromConflict(reply)).toEqual(
      new Map([
        ['a', ''],
        ['b', undefined],
      ]),
    );
  });
});
