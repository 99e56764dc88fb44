import { Controller, Get, Inject, Post } from '@nestjs/common';

/**
 * Makes `Class` a Nest controller, as decorators in TypeScript would.
 *
 * @param {Function} Class
 * @param {Record<string, { route: string, decorators?: MethodDecorator[], params?: ParameterDecorator[] }>} handlers -
 *   by method name; the route is such as `GET /me`, the parameter decorators are in order
 * @param {readonly unknown[]} [injected] - tokens of the constructor's parameters
 */
export function makeController(Class, handlers, injected = []) {
  Controller()(Class);
  injected.forEach((token, index) => Inject(token)(Class, undefined, index));
  for (const [name, { route, decorators = [], params = [] }] of Object.entries(handlers)) {
    const [method, path] = route.split(' ');
    const descriptor = Object.getOwnPropertyDescriptor(Class.prototype, name);
    const verb = method === 'GET' ? Get(path) : Post(path);
    for (const decorate of [verb, ...decorators]) decorate(Class.prototype, name, descriptor);
    params.forEach((decorate, index) => decorate(Class.prototype, name, index));
  }
}
