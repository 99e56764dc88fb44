import { describe, expect, it } from '@jest/globals';
import { SessionEncodingError } from 'nestjs-redis-session';
import { ofJavaClass } from 'nestjs-redis-session/spring';
import { jdkCodec } from '../../libs/redis-session/src/spring/jdk/jdk-session-repository.js';
import { springCodec } from '../../libs/redis-session/src/spring/spring-attributes.js';
import {
  SpringContext,
  type SpringContextOptions,
} from '../../libs/redis-session/src/spring/spring-context.js';

const silent = { warn: () => undefined, error: () => undefined };
const csrf = { headerName: 'X-CSRF-TOKEN', parameter: '_csrf' };
const defaults = { authorities: undefined, boot: 4, factor: undefined, principal: undefined };
const contextOf = (options: Partial<SpringContextOptions> = {}) =>
  new SpringContext({ ...defaults, ...options } as SpringContextOptions, silent);

const json = springCodec(contextOf(), csrf);
const jdk = jdkCodec({ context: contextOf(), csrf, storesLogins: true });
const readOnly = jdkCodec({ context: contextOf(), csrf, storesLogins: false });
const toSpring = () => ofJavaClass('com.shop.Account', {});
const withPrincipal = (give: () => object | undefined) =>
  jdkCodec({
    context: contextOf({ principal: { fromSpring: () => undefined, toSpring: give } }),
    csrf,
    storesLogins: true,
  });

const SPRING_CONTEXT = 'SPRING_SECURITY_CONTEXT';
const LOGIN = { authentication: { name: 'kim', principal: {}, authorities: [], kind: 'full' } };
const READ_ONLY =
  'cannot be stored: springSession({ serialization: "jdk" }) only reads the sessions of Spring, and ends them. Set springSession.storesLogins.';

type Encode = () => unknown;

describe('What Spring could not read', () => {
  it.each<[sentence: string, wrong: Encode, ...right: Encode[]]>([
    [
      `${SPRING_CONTEXT} has a name that Spring uses itself. Choose another name.`,
      () => json.encode('x', SPRING_CONTEXT),
      () => json.encode('x', 'OWN_CONTEXT'),
    ],
    [
      'CSRF_SECRET must be a text, because Spring takes it for one. Store a text.',
      () => json.encode(5, 'CSRF_SECRET'),
      () => json.encode('five', 'CSRF_SECRET'),
    ],
    [
      'CSRF_SECRET must not be empty, because Spring refuses an empty token. Store a random text.',
      () => json.encode('', 'CSRF_SECRET'),
      () => json.encode(' ', 'CSRF_SECRET'),
    ],
    [
      'SAVED_REQUESTS is kept for the page to which a login leads. Choose another name.',
      () => json.encode({ page: '/cart' }, 'SAVED_REQUESTS'),
      () => json.encode({ page: '/cart' }, 'OWN_REQUESTS'),
    ],
    [
      'cart is longer than 20000000 characters. Store less.',
      () => json.encode('x'.repeat(20_000_001), 'cart'),
      () => json.encode('x'.repeat(1000), 'cart'),
    ],
    [
      'cart has a property "@class", which names a Java class. Rename it.',
      () => json.encode({ '@class': 'com.shop.Cart' }, 'cart'),
      () => json.encode({ class: 'com.shop.Cart' }, 'cart'),
    ],
    [
      'cart has a property whose name is longer than 50000 characters. Rename it.',
      () => json.encode({ ['x'.repeat(50_001)]: 1 }, 'cart'),
      () => json.encode({ x: 1 }, 'cart'),
    ],
    [
      'cart cannot be stored by Java serialization: it is no text, number or boolean. Store one of these.',
      () => jdk.encode(['tea'], 'cart'),
      () => jdk.encode('tea', 'cart'),
      () => jdk.encode(5, 'cart'),
      () => jdk.encode(true, 'cart'),
    ],
    [
      'cart cannot be stored by Java serialization: it takes 1100013 bytes, and 1048576 are read at most. Store less.',
      () => jdk.encode('x'.repeat(1_100_000), 'cart'),
      () => jdk.encode('x'.repeat(1_000_000), 'cart'),
    ],
    [`cart ${READ_ONLY}`, () => readOnly.encode('tea', 'cart'), () => jdk.encode('tea', 'cart')],
    [
      'SECURITY_CONTEXT cannot be stored by Java serialization: principal.toSpring gives an object of a class whose serialVersionUID is not known here. Let it return undefined.',
      () => withPrincipal(toSpring).encode(LOGIN, 'SECURITY_CONTEXT'),
      () => withPrincipal(() => undefined).encode(LOGIN, 'SECURITY_CONTEXT'),
    ],
  ])('is refused: %s', (sentence, wrong, ...right) => {
    expect(wrong).toThrow(new SessionEncodingError(`Cannot save the session: ${sentence}`));
    for (const encode of right) expect(encode).not.toThrow();
  });
});
