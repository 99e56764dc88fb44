import { REMEMBER_ME_KEY_HASH, REMEMBER_ME_TOKEN } from '../spring-security-classes.js';
import { int32, type WrittenClass, WrittenObject } from './java-writer.js';

const SECURITY = 'org.springframework.security';
const STRING = 'Ljava/lang/String;';
const OBJECT = 'Ljava/lang/Object;';
/** `SpringSecurityCoreVersion.SERIAL_VERSION_UID`, the same since Spring Security 6.3. */
const SECURITY_UID = 0x26cn;

const NUMBER = { name: 'java.lang.Number', uid: 0x86ac951d0b94e08bn, fields: {} };
const INTEGER = {
  ...{ name: 'java.lang.Integer', uid: 0x12e2a0a4f7818738n },
  ...{ fields: { value: 'I' }, parent: NUMBER },
};
const LONG = {
  ...{ name: 'java.lang.Long', uid: 0x3b8be490cc8f23dfn },
  ...{ fields: { value: 'J' }, parent: NUMBER },
};
const DOUBLE = {
  ...{ name: 'java.lang.Double', uid: 0x80b3c24a296bfb04n },
  ...{ fields: { value: 'D' }, parent: NUMBER },
};
const BOOLEAN = { name: 'java.lang.Boolean', uid: 0xcd207280d59cfaeen, fields: { value: 'Z' } };

const ARRAY_LIST: WrittenClass = {
  ...{ name: 'java.util.ArrayList', uid: 0x7881d21d99c7619dn },
  ...{ fields: { size: 'I' }, writesItself: true },
};
const TREE_SET: WrittenClass = {
  ...{ name: 'java.util.TreeSet', uid: 0xdd98509395ed875bn },
  ...{ fields: {}, writesItself: true },
};
const UNMODIFIABLE = {
  ...{ name: 'java.util.Collections$UnmodifiableCollection', uid: 0x19420080cb5ef71en },
  fields: { c: 'Ljava/util/Collection;' },
};
const UNMODIFIABLE_LIST = {
  ...{ name: 'java.util.Collections$UnmodifiableList', uid: 0xfc0f2531b5ec8e10n },
  ...{ fields: { list: 'Ljava/util/List;' }, parent: UNMODIFIABLE },
};
const UNMODIFIABLE_SET = {
  ...{ name: 'java.util.Collections$UnmodifiableSet', uid: 0x801d92d18f9b8055n },
  ...{ fields: {}, parent: UNMODIFIABLE },
};

const AUTHORITY = {
  name: `${SECURITY}.core.authority.SimpleGrantedAuthority`,
  ...{ uid: SECURITY_UID, fields: { role: STRING } },
};
const COMPARATOR = {
  name: `${SECURITY}.core.userdetails.User$AuthorityComparator`,
  ...{ uid: SECURITY_UID, fields: {} },
};
const USER = {
  ...{ name: `${SECURITY}.core.userdetails.User`, uid: SECURITY_UID },
  fields: {
    ...{ accountNonExpired: 'Z', accountNonLocked: 'Z', credentialsNonExpired: 'Z', enabled: 'Z' },
    ...{ authorities: 'Ljava/util/Set;', password: STRING, username: STRING },
  },
};
const TOKEN = {
  name: `${SECURITY}.authentication.AbstractAuthenticationToken`,
  uid: 0xd3aa287e6e47640en,
  fields: { authenticated: 'Z', authorities: 'Ljava/util/Collection;', details: OBJECT },
};
const REMEMBERED = {
  ...{ name: REMEMBER_ME_TOKEN, uid: SECURITY_UID },
  ...{ fields: { keyHash: 'I', principal: OBJECT }, parent: TOKEN },
};
/** Of a login that is not remembered. */
const tokenType = (name: string): WrittenClass => ({
  ...{ name, uid: SECURITY_UID },
  ...{ fields: { credentials: OBJECT, principal: OBJECT }, parent: TOKEN },
});
const CONTEXT = {
  ...{ name: `${SECURITY}.core.context.SecurityContextImpl`, uid: SECURITY_UID },
  fields: { authentication: 'Lorg/springframework/security/core/Authentication;' },
};
const CSRF_TOKEN = {
  ...{ name: `${SECURITY}.web.csrf.DefaultCsrfToken`, uid: 0x5aefb7c82fa2fbd5n },
  fields: { headerName: STRING, parameterName: STRING, token: STRING },
};

/** A login as Spring stores it. */
export interface JavaLogin {
  readonly name: string;
  /** Of Spring, such as `ROLE_ADMIN`. */
  readonly authorities: readonly string[];
  /** The class of the login. */
  readonly token: string;
}

/** @param login - undefined for an anonymous visitor */
export function javaContext(login: JavaLogin | undefined): WrittenObject {
  return new WrittenObject(CONTEXT, { authentication: login ? tokenOf(login) : null });
}

/** `DefaultCsrfToken` of Spring Security. */
export function javaCsrfToken(fields: {
  readonly headerName: string;
  readonly parameterName: string;
  readonly token: string;
}): WrittenObject {
  return new WrittenObject(CSRF_TOKEN, fields);
}

/** A text, number or boolean of Java. @returns undefined for what has no counterpart that Java could read for sure */
export function javaValue(value: unknown): WrittenObject | string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return new WrittenObject(BOOLEAN, { value });
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  if (!Number.isSafeInteger(value) || Object.is(value, -0))
    return new WrittenObject(DOUBLE, { value });
  return new WrittenObject((value | 0) === value ? INTEGER : LONG, { value });
}

function tokenOf({ name, authorities: names, token }: JavaLogin): WrittenObject {
  // Java reads the set of the user in the order of its comparator: that of UTF-16 units, as `sort` has it.
  const authorities = [...names].sort().map((role) => new WrittenObject(AUTHORITY, { role }));
  const list = new WrittenObject(ARRAY_LIST, { size: names.length }, [
    int32(names.length),
    ...authorities,
  ]);
  const shared = {
    ...{
      authenticated: true,
      authorities: new WrittenObject(UNMODIFIABLE_LIST, { c: list, list }),
    },
    ...{ details: null, principal: userOf(name, authorities) },
  };
  return token === REMEMBER_ME_TOKEN
    ? new WrittenObject(REMEMBERED, { ...shared, keyHash: REMEMBER_ME_KEY_HASH })
    : new WrittenObject(tokenType(token), { ...shared, credentials: null });
}

function userOf(username: string, authorities: readonly WrittenObject[]): WrittenObject {
  const set = new WrittenObject(TREE_SET, {}, [
    new WrittenObject(COMPARATOR),
    int32(authorities.length),
    ...authorities,
  ]);
  return new WrittenObject(USER, {
    ...{ accountNonExpired: true, accountNonLocked: true, credentialsNonExpired: true },
    ...{ enabled: true, password: null, username },
    authorities: new WrittenObject(UNMODIFIABLE_SET, { c: set }),
  });
}
