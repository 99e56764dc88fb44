import { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import accepts from 'accepts';

const FORM = /^(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i;
const PREFETCH = /\bprefetch\b/i;
/** What becomes the content of a window or a frame; an `<embed>` navigates too, but shows no login page. */
const PAGE_DESTINATIONS = ['document', 'iframe', 'frame'];
/** The first of equally welcome types wins: a client that takes anything is no browser. */
const ANSWER_TYPES = ['application/json', 'text/html'];

/**
 * Whether somebody looks at a page or sends a form, so that an answer may be a redirect to another page.
 *
 * Browsers tell by `Sec-Fetch-Mode` and `Sec-Fetch-Dest` on trustworthy origins (W3C Fetch Metadata); without them, HTML
 * must be what `Accept` prefers. Never true for scripts, event streams, WebSocket upgrades and prefetches.
 */
export function isBrowserNavigation(request: IncomingMessage): boolean {
  return canNavigate(request) && !isScriptRequest(request) && wantsPage(request);
}

/** Whether a script of a page sends it: an answer must not make the browser ask for a password. */
export function isScriptRequest({ headers }: IncomingMessage): boolean {
  const isMarked = headerOf(headers['x-requested-with']).toLowerCase() === 'xmlhttprequest';
  return isMarked || isBrowserScript(headers);
}

/** Browsers send mode and destination; the `fetch` of Node sends `Sec-Fetch-Mode: cors` alone, whatever it is used for. */
function isBrowserScript(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  return mode !== undefined && mode !== 'navigate' && headers['sec-fetch-dest'] !== undefined;
}

function canNavigate({ method, headers }: IncomingMessage): boolean {
  const purpose = headers['sec-purpose'] ?? headers['purpose'] ?? headers['x-moz'];
  if (headers.upgrade !== undefined || PREFETCH.test(headerOf(purpose))) return false;
  if (method === 'POST') return FORM.test(headers['content-type'] ?? '');
  return method === 'GET' || method === 'HEAD';
}

function wantsPage(request: IncomingMessage): boolean {
  const destination = request.headers['sec-fetch-dest'];
  if (request.headers['sec-fetch-mode'] === 'navigate') {
    return destination === undefined || PAGE_DESTINATIONS.includes(headerOf(destination));
  }
  return accepts(request).types(ANSWER_TYPES) === 'text/html';
}

function headerOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}
