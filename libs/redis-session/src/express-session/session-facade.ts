import { inspect } from 'node:util';
import { readable } from '../lib/quoted.js';
import { type BoundSession, refuseOwn } from './bound-session.js';
import { type ExpressSession } from './express-session.js';

/** The members of `req.session` that are no attributes, and how `cookie` is assigned. */
export interface FacadeMembers {
  readonly members: Readonly<Record<string, () => unknown>>;
  readonly assignCookie: (cookie: unknown) => void;
}

/** Makes the `req.session` of `session`: properties are its attributes, beside those `members`. */
export function createSessionFacade(session: BoundSession, members: FacadeMembers): ExpressSession {
  return new Proxy(targetOf(session), new FacadeHandler(session, members)) as ExpressSession;
}

/** Node shows the target of a proxy: names, but no id and no values, which do not belong in a log. */
function targetOf(session: BoundSession): object {
  const value = () => `Session { ${session.names.map(readable).join(', ')} }`;
  return Object.defineProperty({}, inspect.custom, { value, configurable: true });
}

/** `cookie` is listed, as express-session does; it is the only member that is. */
const LISTED_MEMBER = 'cookie';

class FacadeHandler implements ProxyHandler<object> {
  /** Methods that the application has replaced, as some monitoring tools do. */
  private readonly replaced = new Map<string, unknown>();

  constructor(
    private readonly session: BoundSession,
    private readonly facade: FacadeMembers,
  ) {}

  get(target: object, name: string | symbol): unknown {
    if (typeof name === 'symbol' || name === '__proto__') return Reflect.get(target, name);
    if (this.replaced.has(name)) return this.replaced.get(name);
    const member = this.memberOf(name);
    if (member) return member();
    const value = this.session.read(name);
    return value === undefined ? Reflect.get(target, name) : value;
  }

  set(target: object, name: string | symbol, value: unknown): boolean {
    if (typeof name === 'symbol') return Reflect.set(target, name, value);
    if (name === '__proto__' || name === 'id') return false;
    if (name === LISTED_MEMBER) this.facade.assignCookie(value);
    else if (this.memberOf(name)) this.replaced.set(name, value);
    else this.session.write(name, value);
    return true;
  }

  defineProperty(target: object, name: string | symbol, property: PropertyDescriptor): boolean {
    return 'value' in property && this.set(target, name, property.value);
  }

  deleteProperty(target: object, name: string | symbol): boolean {
    if (typeof name === 'symbol') return Reflect.deleteProperty(target, name);
    refuseOwn(name);
    this.replaced.delete(name);
    if (!this.memberOf(name)) this.session.existing?.removeAttribute(name);
    return true;
  }

  has(target: object, name: string | symbol): boolean {
    return this.isProperty(name) || Reflect.has(target, name);
  }

  ownKeys(target: object): (string | symbol)[] {
    const listed = this.session.names.filter((name) => this.isAttribute(name));
    return [LISTED_MEMBER, ...listed, ...Reflect.ownKeys(target)];
  }

  getOwnPropertyDescriptor(target: object, name: string | symbol): PropertyDescriptor | undefined {
    if (typeof name === 'symbol' || !this.isProperty(name))
      return Reflect.getOwnPropertyDescriptor(target, name);
    const enumerable =
      name === LISTED_MEMBER || (!this.memberOf(name) && this.session.isListed(name));
    return { value: this.get(target, name), writable: true, configurable: true, enumerable };
  }

  preventExtensions(): boolean {
    return false;
  }

  private isProperty(name: string | symbol): boolean {
    if (typeof name === 'symbol') return false;
    return this.memberOf(name) !== undefined || this.isAttribute(name);
  }

  private isAttribute(name: string): boolean {
    return name !== '__proto__' && !this.memberOf(name) && this.session.names.includes(name);
  }

  private memberOf(name: string): (() => unknown) | undefined {
    return Object.hasOwn(this.facade.members, name) ? this.facade.members[name] : undefined;
  }
}
