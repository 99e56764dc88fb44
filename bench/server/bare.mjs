import { makeController } from './controller.mjs';
import { USER } from './attributes.mjs';

/** Nest without sessions. */
class BareController {
  hello() {
    return { hello: 'world' };
  }

  me() {
    return { name: USER.username };
  }
}

makeController(BareController, {
  hello: { route: 'GET /hello' },
  me: { route: 'GET /me' },
});

/** @returns {import('./contestant.mjs').Contestant} */
export function bare() {
  return { controllers: [BareController] };
}
