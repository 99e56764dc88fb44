import { foreignProperty } from '../../lib/foreign-property.js';
import { type HttpExchange } from '../answers/http-exchange.js';

/** The query parameter of the login page that tells which saved request to go back to. */
export const CONTINUE_PARAMETER = 'continue';

const keys = foreignProperty<string>('continue key');

/** A request cache tells under which key it has saved the request of `exchange`. */
export function setContinueKey(exchange: HttpExchange, key: string): void {
  keys.set(exchange.request, key);
}

/** What an entry point hands on to the login page. @returns undefined when the request was not saved */
export function continueKeyOf(exchange: HttpExchange): string | undefined {
  return keys.get(exchange.request);
}

/** The key that the client hands back: that of the login page's own URL, to which a form without `action` posts. */
export function requestedContinueKey({ url }: HttpExchange): string | undefined {
  const query = url.slice(url.indexOf('?') + 1);
  return url.includes('?')
    ? (new URLSearchParams(query).get(CONTINUE_PARAMETER) ?? undefined)
    : undefined;
}
