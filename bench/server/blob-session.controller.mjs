import { Query, Req, UseGuards } from '@nestjs/common';
import { CART, CHANGED_ATTRIBUTE, newText, seedAttributes, USER } from './attributes.mjs';
import { makeController } from './controller.mjs';
import { UserOfRequest } from './equals.mjs';
import { SessionGuard } from './session-guard.mjs';

/** The routes for libraries with `request.session`: express-session and @fastify/session. */
export class BlobSessionController {
  hello() {
    return { hello: 'world' };
  }

  me(user) {
    return { name: user.username };
  }

  change(request, bytes) {
    request.session[CHANGED_ATTRIBUTE] = newText(Number(bytes));
    return { ok: true };
  }

  async login(request) {
    await inCallback((done) => request.session.regenerate(done));
    request.session.user = USER;
    return { name: USER.username };
  }

  async logout(request) {
    await inCallback((done) => request.session.destroy(done));
    return { ok: true };
  }

  visit(request) {
    request.session.cart = CART;
    return { ok: true };
  }

  async seed(request, { count, bytes }) {
    await this.login(request);
    request.session.cart = CART;
    for (const [name, value] of seedAttributes(Number(count), Number(bytes)))
      request.session[name] = value;
    return { ok: true };
  }
}

makeController(BlobSessionController, {
  hello: { route: 'GET /hello' },
  me: { route: 'GET /me', decorators: [UseGuards(SessionGuard)], params: [UserOfRequest()] },
  change: { route: 'POST /change', params: [Req(), Query('bytes')] },
  login: { route: 'POST /login', params: [Req()] },
  logout: { route: 'POST /logout', params: [Req()] },
  visit: { route: 'POST /visit', params: [Req()] },
  seed: { route: 'POST /seed', params: [Req(), Query()] },
});

function inCallback(action) {
  return new Promise((resolve, reject) =>
    action((error) => (error ? reject(error) : resolve(undefined))),
  );
}
