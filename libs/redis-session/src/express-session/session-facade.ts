import { type IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import { type SessionRequest } from '../http/request/session-request.js';
import { readable } from '../lib/logger.js';
import { isOwnAttribute } from '../session/attributes/attribute-names.js';
import { type MapSession } from '../session/map-session.js';
import { SessionOptionError } from '../session/session.errors.js';
import { type ExpressSession } from './express-session.js';
import { type CookieOwner } from './facade-cookie.js';

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
    if (typeof name === 'symbol') return Reflect.get(target, name);
    // A body that is merged into it must not reach the prototype of all objects.
    if (name === '__proto__') return undefined;
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
    const enumerable = name === LISTED_MEMBER || !this.memberOf(name);
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

/**
 * The one session that a `req.session` stands for. A visitor without one gets it with the first write; when it has ended,
 * what it held can still be read, as passport does with `keepSessionInfo`.
 */
export class BoundSession implements CookieOwner {
  private session: MapSession | undefined;
  private remains: ReadonlyMap<string, unknown> = new Map();

  constructor(private readonly sessionRequest: SessionRequest) {}

  /** @returns undefined when there is none yet, or it has ended */
  get existing(): MapSession | undefined {
    this.session ??= this.sessionRequest.currentSession;
    return this.session?.isInvalidated ? undefined : this.session;
  }

  get request(): IncomingMessage {
    return this.sessionRequest.request;
  }

  announce(): void {
    if (this.existing) this.sessionRequest.announcement.force();
  }

  beforeSave(change: (session: MapSession) => void): void {
    this.sessionRequest.beforeFirstSave.push(change);
  }

  /** Whether `req.session` must stand for another one now. */
  get isStale(): boolean {
    return this.session !== undefined && this.session !== this.sessionRequest.currentSession;
  }

  /** From now on it is this one. */
  standFor(session: MapSession): void {
    this.session = session;
  }

  /** The session to write to. @throws SessionResponseCommittedError when it is too late to make one */
  obtain(): MapSession {
    this.session ??= this.sessionRequest.obtainSession();
    return this.session;
  }

  /** What is changed in place is saved: nobody gets an attribute of the library, which a body may be merged into. */
  read(name: string): unknown {
    if (isOwnAttribute(name)) return undefined;
    return this.existing ? this.existing.getAttribute(name) : this.remains.get(name);
  }

  /** @throws SessionOptionError for an attribute of the library */
  write(name: string, value: unknown): void {
    refuseOwn(name);
    this.obtain().setAttribute(name, value);
  }

  /** Names of attributes, without those of the library. */
  get names(): readonly string[] {
    const names = this.existing ? this.existing.attributeNames : [...this.remains.keys()];
    return names.filter((name) => !isOwnAttribute(name));
  }

  /** Ends the session at once. */
  async end(): Promise<void> {
    const session = this.existing;
    if (!session) return;
    this.remains = new Map(this.names.map((name) => [name, session.getAttribute(name)]));
    await session.invalidate();
  }
}

/** Whoever writes to `req.session` what a client has sent must not make a user of himself. */
function refuseOwn(name: string): void {
  if (!isOwnAttribute(name)) return;
  throw new SessionOptionError(
    `Cannot change req.session.${name}: the library itself keeps it. Use LoginService, LogoutService or another name.`,
  );
}
