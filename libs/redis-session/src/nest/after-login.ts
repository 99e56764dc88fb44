import { type IncomingMessage } from 'node:http';
import { hiddenProperty } from '../session/hidden-property.js';

const locations = hiddenProperty<string>();

/** Has the interceptor answer with a redirect when the handler is done. */
export function redirectAfterHandler(request: IncomingMessage, location: string): void {
  locations.set(request, location);
}

/** @returns undefined when the handler's result is the answer */
export function locationAfterHandler(request: IncomingMessage): string | undefined {
  return locations.get(request);
}
