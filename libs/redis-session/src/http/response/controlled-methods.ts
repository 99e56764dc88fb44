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

const NATIVE_METHODS = Symbol('native methods');
const NATIVE_PROTOTYPE = Symbol('native prototype');
interface Prepared {
  readonly [NATIVE_METHODS]: NativeMethods;
  readonly [NATIVE_PROTOTYPE]: object;
}

const controls = foreignProperty<ResponseControl>('response control');

/** @returns undefined for a response that nobody controls */
export function controlOf(response: object): ResponseControl | undefined {
  return controls.get(response);
}

/** From now on `control` is asked. @returns the methods as they were */
export function takeControl(response: ServerResponse, control: ResponseControl): NativeMethods {
  controls.set(response, control);
  const { [NATIVE_METHODS]: inherited } = response as Partial<Prepared>;
  if (inherited) return inherited;
  const native = methodsOf(response);
  override(response);
  return native;
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
  if (!(NATIVE_METHODS in response)) Object.defineProperties(response, HELD_PROPERTIES);
}

/**
 * Makes all responses that inherit from `prototype` look for their control themselves. On Node 20, methods of their own
 * cost each request on Express 10 % more. On Node 24 both ways cost the same.
 */
export function prepareControl(prototype: object): void {
  if (NATIVE_METHODS in prototype) return;
  const native = methodsOf(prototype as ServerResponse);
  Object.defineProperties(prototype, {
    ...HELD_PROPERTIES,
    [NATIVE_METHODS]: { value: native },
    [NATIVE_PROTOTYPE]: { value: Object.getPrototypeOf(prototype) as object },
  });
  override(prototype as ServerResponse);
}

function heldOf(response: object): HeldResponse | undefined {
  return controls.get(response)?.held;
}

/** What `response` answers without {@link HELD_PROPERTIES}. */
function native<Name extends keyof ServerResponse>(
  response: ServerResponse,
  name: Name,
): ServerResponse[Name] {
  const { [NATIVE_PROTOTYPE]: prepared } = response as Partial<Prepared>;
  const prototype = prepared ?? (Object.getPrototypeOf(response) as object);
  return Reflect.get(prototype, name, response);
}

function methodsOf(response: ServerResponse): NativeMethods {
  const { writeHead, write, end, flushHeaders } = response as unknown as NativeMethods;
  return { writeHead, write, end, flushHeaders };
}

function override(target: ServerResponse): void {
  target.writeHead = writeHead as ServerResponse['writeHead'];
  target.write = write as ServerResponse['write'];
  target.end = end as ServerResponse['end'];
  target.flushHeaders = flushHeaders;
}

function writeHead(this: object, ...args: unknown[]): unknown {
  return call(this, 'writeHead', args);
}

function write(this: object, ...args: unknown[]): unknown {
  return call(this, 'write', args);
}

function end(this: object, ...args: unknown[]): unknown {
  return call(this, 'end', args);
}

function flushHeaders(this: object): void {
  call(this, 'flushHeaders', []);
}

function call(response: object, method: HeldMethod, args: unknown[]): unknown {
  const control = controls.get(response);
  if (control) return control.call(method, args);
  return Reflect.apply((response as Prepared)[NATIVE_METHODS][method], response, args);
}
