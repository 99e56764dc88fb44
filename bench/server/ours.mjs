import { Query, Req } from '@nestjs/common';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  LoginService,
  LogoutService,
  RedisSessionModule,
} from '../../libs/redis-session/dist/index.js';
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

/** @returns {import('./contestant.mjs').Contestant} */
export function ours({ redisUrl, id, options }) {
  return {
    imports: [RedisSessionModule.forRoot({ redis: redisUrl, namespace: id, ...options })],
    controllers: [SessionController],
  };
}
