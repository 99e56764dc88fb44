import { describe, expect, it } from '@jest/globals';
import { type SessionChange } from '../session/session-change.js';
import { SessionCorruptError } from '../session/session.errors.js';
import { fromConflict, fromHash, splitHash, toHash } from './redis-session.mapper.js';

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

describe('splitHash', () => {
  it('gives the fields and values in turn, empty ones too', () => {
    expect(splitHash(4, 'a\0\0b\0 1')).toEqual(['a', '', 'b', ' 1']);
    expect(splitHash('2', 'a\0')).toEqual(['a', '']);
    expect(splitHash(0, undefined)).toEqual([]);
  });

  it('cannot split a hash that has the separator inside', () => {
    expect(splitHash(2, 'a\0b\0c')).toBeUndefined();
  });
});

describe('fromHash', () => {
  it('maps times and attributes, and ignores fields of others', () => {
    const hash = { ...times, 'sessionAttr:cart': '[1]', 'sessionAttr:': '2', other: 'x' };
    expect(fromHash(Object.entries(hash).flat())).toEqual({
      creationTime: 1404360000000,
      lastAccessedTime: 1404360000001,
      maxInactiveInterval: -1,
      attributes: new Map([
        ['cart', '[1]'],
        ['', '2'],
      ]),
    });
  });

  it('takes the last of a field that comes twice', () => {
    const reply = [...Object.entries(times).flat(), 'lastAccessedTime', '5'];
    expect(fromHash(reply)?.lastAccessedTime).toBe(5);
  });

  it('maps an empty hash to no session', () => {
    expect(fromHash([])).toBeUndefined();
  });

  it.each(Object.keys(times))('needs the field %s', (field) => {
    const entries = Object.entries(times).filter(([name]) => name !== field);
    expect(() => fromHash(entries.flat())).toThrow(SessionCorruptError);
    expect(() => fromHash(entries.flat())).toThrow(`its field "${field}" is missing`);
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
