import { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { requestWith } from '../../../../../test/support/http/node-messages.js';
import { isBrowserNavigation, isScriptRequest } from './request-matchers.js';

const CHROME_ACCEPT =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const FORM = 'application/x-www-form-urlencoded';

function request(headers: IncomingHttpHeaders, method = 'GET'): IncomingMessage {
  return Object.assign(requestWith(headers), { method });
}

describe(isBrowserNavigation, () => {
  it.each<[string, IncomingHttpHeaders, string?]>([
    ['a link, by Accept', { accept: CHROME_ACCEPT }],
    ['a program that uses the fetch of Node', { accept: 'text/html', 'sec-fetch-mode': 'cors' }],
    ['a link, by fetch metadata', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['fetch metadata before Accept', { 'sec-fetch-mode': 'navigate', accept: 'application/json' }],
    ['a page in a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    ['HTML as the only type', { accept: 'text/html' }],
    ['any text', { accept: 'text/*' }],
    ['HTML before JSON', { accept: 'text/html, application/json' }],
    ['HEAD', { accept: 'text/html' }, 'HEAD'],
    ['a form', { accept: CHROME_ACCEPT, 'content-type': FORM }, 'POST'],
    [
      'a form with a file',
      { accept: CHROME_ACCEPT, 'content-type': 'multipart/form-data; boundary=x' },
      'POST',
    ],
  ])('recognises %s', (_, headers, method = 'GET') => {
    expect(isBrowserNavigation(request(headers, method))).toBe(true);
  });

  it.each<[string, IncomingHttpHeaders, string?]>([
    ['a client without Accept', {}],
    ['curl', { accept: '*/*' }],
    ['axios', { accept: 'application/json, text/plain, */*' }],
    ['JSON as much as HTML', { accept: 'application/json, text/html' }],
    ['HTML less than JSON', { accept: 'text/html;q=0.5, application/json' }],
    ['an image', { accept: 'image/avif,image/webp,*/*;q=0.8' }],
    ['an event stream', { accept: 'text/event-stream' }],
    ['XMLHttpRequest', { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' }],
    ['fetch()', { accept: 'text/html', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
    ['an embedded object', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'embed' }],
    ['a WebSocket', { accept: 'text/html', upgrade: 'websocket' }],
    ['a prefetch', { 'sec-fetch-mode': 'navigate', 'sec-purpose': 'prefetch;prerender' }],
    ['an old prefetch', { accept: 'text/html', purpose: 'prefetch' }],
    ['a posted document', { accept: 'text/html', 'content-type': 'application/json' }, 'POST'],
    ['PUT', { accept: 'text/html', 'content-type': FORM }, 'PUT'],
    ['broken Accept', { accept: ';;,/' }],
  ])('does not take %s for one', (_, headers, method = 'GET') => {
    expect(isBrowserNavigation(request(headers, method))).toBe(false);
  });
});

describe(isScriptRequest, () => {
  it('recognises XMLHttpRequest and fetch()', () => {
    expect(isScriptRequest(request({ 'x-requested-with': 'xmlhttprequest' }))).toBe(true);
    expect(
      isScriptRequest(request({ 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'empty' })),
    ).toBe(true);
  });

  it('does not take a navigation or a command-line client for one', () => {
    expect(isScriptRequest(request({ 'sec-fetch-mode': 'navigate' }))).toBe(false);
    expect(isScriptRequest(request({ accept: '*/*' }))).toBe(false);
  });
});
