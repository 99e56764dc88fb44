import type { ServerResponse } from 'node:http';
import { foreignProperty } from '../../lib/foreign-property.js';
import type { HeldResponse } from './held-response.js';
import type { HeldMethod, NativeMethods } from './node-response.js';

/** Who is asked for every call by which bytes of a response leave. */
export interface ResponseControl {
  call(method: HeldMethod, args: unknown[]): unknown;
  /** undefined = nothing waits: the response answers for itself. */
  readonly held: HeldResponse | undefined;
}

const controls = foreignProperty<ResponseControl>('response control');

/** @returns undefined for a response that nobody controls */
export function controlOf(response: object): ResponseControl | undefined {
  return controls.get(response);
}

/** From now on `control` is asked. @returns the methods as they were */
export function takeControl(response: ServerResponse, control: ResponseControl): NativeMethods {
  controls.set(response, control);
  const { writeHead, write, end, flushHeaders } = response as unknown as NativeMethods;
  Object.assign(response, CONTROLLED_METHODS);
  return { writeHead, write, end, flushHeaders };
}

/** What a stream is asked while calls wait. */
const HELD_PROPERTIES: PropertyDescriptorMap & ThisType<ServerResponse> = {
  writableLength: {
    get() {
      return (heldOf(this)?.length ?? 0) + native(this, 'writableLength');
    },
  },
  writableNeedDrain: {
    get() {
      const held = heldOf(this);
      if (!held) return native(this, 'writableNeedDrain');
      return held.hasRefusedWrite && !held.hasEnd && !this.destroyed;
    },
  },
  // Node would conclude from `finished` that every byte is out.
  writableFinished: {
    get() {
      return heldOf(this) ? false : native(this, 'writableFinished');
    },
  },
};

/**
 * From now on `response` answers for the calls that wait, if some do. It stays so: to take properties away costs a request
 * 8 µs on Node 20, most of it in the garbage collector.
 */
export function answerForHeldCalls(response: ServerResponse): void {
  Object.defineProperties(response, HELD_PROPERTIES);
}

function heldOf(response: object): HeldResponse | undefined {
  return controls.get(response)?.held;
}

/** What `response` answers without {@link HELD_PROPERTIES}. */
function native<Name extends keyof ServerResponse>(
  response: ServerResponse,
  name: Name,
): ServerResponse[Name] {
  return Reflect.get(Object.getPrototypeOf(response) as ServerResponse, name, response);
}

/** Of the response itself: an Express application that is called like a function sets the prototype of the response. */
const CONTROLLED_METHODS = {
  writeHead(this: object, ...args: unknown[]): unknown {
    return controls.get(this)?.call('writeHead', args);
  },
  write(this: object, ...args: unknown[]): unknown {
    return controls.get(this)?.call('write', args);
  },
  end(this: object, ...args: unknown[]): unknown {
    return controls.get(this)?.call('end', args);
  },
  flushHeaders(this: object): void {
    controls.get(this)?.call('flushHeaders', []);
  },
};
