import { type SessionLogger, quoted } from '../lib/logger.js';
import { type Authentication } from '../security/authentication.js';
import { type SecurityContext } from '../security/security-context.js';
import { SessionEncodingError } from '../session/session.errors.js';
import { type Fields, fieldsOf, itemsOf, javaClassOf, ofStoredClass } from './java-value.js';
import { javaContext } from './jdk/java-values.js';
import { type WrittenObject } from './jdk/java-writer.js';
import { javaJson } from './json/java-json.js';
import { JavaTypes } from './json/java-types.js';
import {
  authenticatedOf,
  AUTHORITY,
  CONTEXT,
  FACTOR,
  KINDS,
  latestFactorMs,
  REMEMBER_ME_KEY_HASH,
  REMEMBER_ME_TOKEN,
  SET,
  tokenClassOf,
  USER,
  userFrom,
} from './spring-security-classes.js';
import { type ResolvedSpringOptions } from './spring.options.js';

const LET_SPRING_WRITE =
  'Let Spring write that field: change the mixin or the annotations of the class.';

/** Spring refuses the name of an authority that holds nothing but what Java takes for blanks, some control characters among them. */
const BLANK = /^[\s\p{Cc}]*$/u;

/** What Spring has no place for; Spring ignores it inside of a token, and loses it when Spring writes the token again. */
interface OwnPart {
  readonly authenticatedAt: number;
  /** Left out unless the user has proved who he is, whatever the class of the token says. */
  readonly kind?: 'full';
  readonly name: string;
  readonly principal: unknown;
}

/** How users are translated. */
export type SpringContextOptions = Pick<
  ResolvedSpringOptions,
  'authorities' | 'boot' | 'factor' | 'principal'
> &
  Partial<Pick<ResolvedSpringOptions, 'classes' | 'token'>>;

/**
 * Translates who is logged in, both ways: `SecurityContextImpl` of Spring Security and the `SecurityContext` of this library.
 *
 * ```
 * {"@class":"…SecurityContextImpl","authentication":{"@class":"…UsernamePasswordAuthenticationToken","principal":{"@class":"…User",…},…}}
 * ```
 */
export class SpringContext {
  private readonly warned = new Set<string>();

  constructor(
    private readonly options: SpringContextOptions,
    private readonly logger: SessionLogger,
    /** Of objects in attributes, and of principals. */
    readonly types: JavaTypes = new JavaTypes(options.boot, options.classes),
  ) {}

  /** @returns undefined for an anonymous visitor, and for a login that cannot be understood: that is logged once per class */
  decode(text: string): SecurityContext | undefined {
    return this.read(() => javaJson.decode(text));
  }

  /** {@link decode} of what `decodeContext` gives, as {@link javaJson} would. */
  read(decodeContext: () => unknown): SecurityContext | undefined {
    try {
      const token = this.tokenIn(decodeContext());
      const authentication = token && this.toAuthentication(token);
      if (!authentication) return undefined;
      return { authentication, isRemembered: javaClassOf(token) === REMEMBER_ME_TOKEN };
    } catch {
      this.warnOnce(
        'not as Spring writes it, is nested too deeply, or makes a function of the options throw',
      );
      return undefined;
    }
  }

  encode(context: SecurityContext, name: string): string {
    const authentication = context.authentication
      ? this.tokenOf(context.authentication, isRemembered(context))
      : null;
    return javaJson.encode(ofStoredClass(CONTEXT, { authentication }), name, this.types);
  }

  /** {@link encode} for Java serialization. It has no place for `authenticatedAt` and for more of the principal than its name. */
  toJava(context: SecurityContext, name: string): WrittenObject {
    const { authentication } = context;
    if (!authentication) return javaContext(undefined);
    if (this.options.principal?.toSpring(authentication))
      throw SessionEncodingError.create(
        name,
        'cannot be stored by Java serialization: principal.toSpring gives an object of a class whose serialVersionUID is not known here',
        'Let it return undefined.',
      );
    return javaContext({
      name: authentication.name,
      authorities: this.springNamesOf(authentication),
      token: isRemembered(context) ? REMEMBER_ME_TOKEN : tokenClassOf(this.options.token),
    });
  }

  /** @returns undefined unless somebody is logged in */
  private tokenIn(context: unknown): Fields | undefined {
    const stored = context === null ? null : fieldsOf(context)?.['authentication'];
    if (stored === null) return undefined;
    const token = fieldsOf(stored);
    const isLoggedIn = token && authenticatedOf(token);
    if (typeof isLoggedIn === 'boolean') return isLoggedIn ? token : undefined;
    this.warnOnce(
      token
        ? `a token of ${classOf(token)} without a true or false "authenticated"`
        : `a context of ${classOf(context)} without a token in "authentication"`,
      LET_SPRING_WRITE,
    );
    return undefined;
  }

  private toAuthentication(token: Fields): Authentication | undefined {
    const tokenClass = javaClassOf(token);
    const { principal: stored } = token;
    const user =
      userFrom(stored, KINDS.has(tokenClass)) ?? this.options.principal?.fromSpring(stored, token);
    if (typeof user?.name !== 'string' || user.name === '') {
      this.warnOnce(`${quoted(tokenClass ?? '')} with a principal of ${classOf(stored)}`);
      return undefined;
    }
    const own = ownPartOf(token, user.name);
    const granted = itemsOf(token['authorities']);
    return {
      name: user.name,
      principal: own?.principal ?? user.principal,
      authorities: this.authorityNamesOf(granted),
      kind: own?.kind === 'full' ? 'full' : (KINDS.get(tokenClass) ?? 'full'),
      authenticatedAt: own?.authenticatedAt ?? latestFactorMs(granted),
    };
  }

  private authorityNamesOf(granted: readonly Fields[]): string[] {
    const { authorities } = this.options;
    return granted.flatMap((each) => {
      const { authority } = each;
      if (typeof authority !== 'string' || javaClassOf(each) === FACTOR) return [];
      return authorities ? (authorities.fromSpring(authority) ?? []) : authority;
    });
  }

  private tokenOf(authentication: Authentication, isOfLongSession: boolean): object {
    const { authenticatedAt, kind, name, principal } = authentication;
    const own: OwnPart = { authenticatedAt, name, principal, ...(kind === 'full' && { kind }) };
    const shared = {
      authenticated: true,
      credentials: null,
      details: null,
      principal: this.options.principal?.toSpring(authentication) ?? this.userOf(authentication),
      node: own,
    };
    const authorities = this.simpleAuthoritiesOf(authentication);
    if (isOfLongSession)
      return ofStoredClass(REMEMBER_ME_TOKEN, {
        ...shared,
        authorities,
        keyHash: REMEMBER_ME_KEY_HASH,
      });
    const factors = this.factorsOf(authentication);
    return ofStoredClass(tokenClassOf(this.options.token), {
      ...shared,
      authorities: [...authorities, ...factors],
    });
  }

  private factorsOf({ authenticatedAt, kind }: Authentication): object[] {
    const { boot, factor } = this.options;
    if (boot === 3 || factor === undefined || kind !== 'full') return [];
    return [ofStoredClass(FACTOR, { authority: factor, issuedAt: authenticatedAt / 1000 })];
  }

  private simpleAuthoritiesOf(authentication: Authentication): object[] {
    const names = this.springNamesOf(authentication);
    return names.map((authority) => ofStoredClass(AUTHORITY, { authority }));
  }

  private springNamesOf({ authorities }: Authentication): string[] {
    const names = authorities.flatMap((name) =>
      this.options.authorities ? (this.options.authorities.toSpring(name) ?? []) : name,
    );
    return [...new Set(names.filter((name) => !BLANK.test(name)))];
  }

  private userOf(authentication: Authentication): object {
    return ofStoredClass(USER, {
      accountNonExpired: true,
      accountNonLocked: true,
      authorities: ofStoredClass(SET, this.simpleAuthoritiesOf(authentication)),
      credentialsNonExpired: true,
      enabled: true,
      password: null,
      username: authentication.name,
    });
  }

  private warnOnce(what: string, cure = 'Set the option principal of springSession().'): void {
    if (this.warned.has(what) || this.warned.size > 100) return;
    this.warned.add(what);
    this.logger.warn(
      `Cannot understand a login of Spring: it is ${what}. Its user is anonymous here. ${cure}`,
    );
  }
}

/** Spring must not take the login of a long session for a full one: it would be one as long as the session lives. */
function isRemembered({ authentication, isRemembered = false }: SecurityContext): boolean {
  return isRemembered || authentication?.kind === 'remember-me';
}

/** For a line of the log. */
function classOf(value: unknown): string {
  return quoted(javaClassOf(value) ?? typeof value);
}

function ownPartOf({ node }: Fields, name: string): OwnPart | undefined {
  const own = fieldsOf(node) as Partial<OwnPart> | undefined;
  const isWhole = own?.name === name && Number.isFinite(own.authenticatedAt);
  return isWhole ? (own as OwnPart) : undefined;
}
