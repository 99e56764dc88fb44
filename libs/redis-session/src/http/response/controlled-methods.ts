import type { ServerResponse } from 'node:http';
import { foreignProperty } from '../../lib/foreign-property.js';
import type { HeldMethod, NativeMethods } from './held-calls.js';

/** Who is asked for every call by which bytes of a response leave. */
export interface ResponseControl {
  call(method: HeldMethod, args: unknown[]): unknown;
}

const NATIVE_METHODS = Symbol('native methods');
interface Prepared {
  readonly [NATIVE_METHODS]: NativeMethods;
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

/**
 * Has all responses that inherit from `prototype` look for their control themselves. Methods of their own would cost each
 * response of Express about 30 µs, because Express changes its prototype.
 */
export function prepareControl(prototype: object): void {
  if (NATIVE_METHODS in prototype) return;
  const native = methodsOf(prototype as ServerResponse);
  Object.defineProperty(prototype, NATIVE_METHODS, { value: native });
  override(prototype as ServerResponse);
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
