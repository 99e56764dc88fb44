import { createHash } from 'node:crypto';
import { Query, Req } from '@nestjs/common';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  LoginService,
  LogoutService,
  RedisSessionModule,
  nearCache,
} from '../../libs/redis-session/dist/index.js';
import { postgresSessions } from '../../libs/redis-session/dist/postgres/index.js';
import { CART, CHANGED_ATTRIBUTE, newText, seedAttributes, USER } from './attributes.mjs';
import { makeController } from './controller.mjs';

class SessionController {
  constructor(loginService, logoutService) {
    this.loginService = loginService;
    this.logoutService = logoutService;
  }

  hello() {
    return { hello: 'world' };
  }

  me(user) {
    return { name: user.username };
  }

  change(session, bytes) {
    session.setAttribute(CHANGED_ATTRIBUTE, newText(Number(bytes)));
    return { ok: true };
  }

  async login(request) {
    await this.loginService.login(request, USER);
    return { name: USER.username };
  }

  async logout(request) {
    await this.logoutService.logout(request);
    return { ok: true };
  }

  visit(session) {
    session.setAttribute('cart', CART);
    return { ok: true };
  }

  async seed(request, session, { count, bytes }) {
    await this.loginService.login(request, USER);
    session.setAttribute('cart', CART);
    for (const [name, value] of seedAttributes(Number(count), Number(bytes)))
      session.setAttribute(name, value);
    return { ok: true };
  }
}

makeController(
  SessionController,
  {
    hello: { route: 'GET /hello' },
    me: { route: 'GET /me', decorators: [Authenticated()], params: [CurrentUser()] },
    change: { route: 'POST /change', params: [CurrentSession(), Query('bytes')] },
    login: { route: 'POST /login', params: [Req()] },
    logout: { route: 'POST /logout', params: [Req()] },
    visit: { route: 'POST /visit', params: [CurrentSession()] },
    seed: { route: 'POST /seed', params: [Req(), CurrentSession(), Query()] },
  },
  [LoginService, LogoutService],
);

/** @returns {string} of its own for each contestant, as long as the default one: bytes are counted */
function namespaceOf(/** @type {string} */ id) {
  return createHash('sha256').update(id).digest('hex').slice(0, 'nest:session'.length);
}

/** @returns {import('./contestant.mjs').Contestant} */
export function ours({ redisUrl, id, options: { nearCache: cached, ...options } }) {
  const namespace = namespaceOf(id);
  const features = cached ? [nearCache(cached)] : [];
  return {
    imports: [RedisSessionModule.forRoot({ redis: redisUrl, namespace, features, ...options })],
    controllers: [SessionController],
  };
}

/** @returns {import('./contestant.mjs').Contestant} */
export function oursOnPostgres({ postgresUrl, platform, options }) {
  const table = `ours_${platform}`;
  const store = postgresSessions({ pool: postgresUrl, table, createTables: true });
  return {
    imports: [RedisSessionModule.forRoot({ store, ...options })],
    controllers: [SessionController],
  };
}
