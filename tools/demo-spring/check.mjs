import { expectAnswer } from '../demo/expect.mjs';
import { Visitor } from '../demo/visitor.mjs';

const SIDES = ['spring', 'nest'];
const other = (/** @type {string} */ side) => (side === 'spring' ? 'nest' : 'spring');

/**
 * Plays visitors who alternate between the Spring half and the Nest half, and prints what they see.
 *
 * @param {string} url - of nginx
 * @throws {Error} for the first answer that is not what both sides together must give
 */
export async function checkOneLogin(url) {
  for (const side of SIDES) await checkLoginAt(side, url);
  for (const side of SIDES) await checkSavedPage(side, url);
  await checkRememberedUser(url);
  console.log('\nOne login, one cart, one logout: on both sides.');
}

/** A cart before the login, a login on `side`, requests to both sides, a new id on each side, a logout on the other side. */
async function checkLoginAt(/** @type {string} */ side, /** @type {string} */ url) {
  console.log(`\nlogin at ${side}, logout at ${other(side)}`);
  const alice = new Visitor(url);
  await fillCart(alice, ['book', 'lamp']);
  await logIn(alice, side, 'alice', `/${side}/home`);
  for (let round = 0; round < 2; round++) await expectOnBothSides(alice, 'alice');
  for (const each of SIDES) {
    const before = await alice.cookie();
    await see(alice, 'POST', `/${each}/api/session-id`, { status: 200 });
    if ((await alice.cookie()) === before) throw new Error(`${each} has not changed the id.`);
    await expectOnBothSides(alice, 'alice');
  }
  await fillCart(alice, ['pen', 'ink'], ['book', 'lamp']);
  for (const each of SIDES) {
    await see(alice, 'GET', `/${each}/members`, { status: 200, text: 'hello alice' });
    await see(alice, 'GET', `/${each}/vault`, { status: 200, text: 'hello alice' });
    await see(alice, 'GET', `/${each}/admin`, { status: 200, text: 'hello alice' });
  }
  const copy = alice.copyWithCookies();
  await logOut(alice, other(side));
  for (const each of SIDES) {
    await see(copy, 'GET', `/${each}/home`, { status: 200, text: 'hello stranger' });
    await see(copy, 'GET', `/${each}/members`, { status: 302, location: /\/login/ });
  }
}

/** A visitor whom `side` refuses logs in on the other side and lands on the page of `side`. */
async function checkSavedPage(/** @type {string} */ side, /** @type {string} */ url) {
  console.log(`\nrefused by ${side}, login at ${other(side)}`);
  const bob = new Visitor(url);
  await see(bob, 'GET', `/${side}/members?tab=2`, { status: 302, location: /\/login/ });
  const page = new RegExp(`^(?:${url})?/${side}/members\\?tab=2(?:&continue)?$`);
  await logIn(bob, other(side), 'bob', page);
  await see(bob, 'GET', `/${side}/members?tab=2`, { status: 200, text: 'hello bob' });
  await see(bob, 'GET', `/${side}/admin`, { status: 403 });
}

/** Spring logs in by its token: such a user is not fully authenticated, on either side. */
async function checkRememberedUser(/** @type {string} */ url) {
  console.log('\nremembered by Spring');
  const alice = new Visitor(url);
  await logIn(alice, 'spring', 'alice', '/spring/home', { 'remember-me': 'on' });
  await alice.forget('SESSION');
  await see(alice, 'GET', '/spring/members', { status: 200, text: 'hello alice' });
  for (const side of SIDES) {
    await see(alice, 'GET', `/${side}/api/me`, { status: 200, text: '"kind":"remember-me"' });
    await see(alice, 'GET', `/${side}/vault`, { status: 302, location: /\/login/ });
  }
}

/** Adds items by nginx's round, so that each comes to another side. */
async function fillCart(
  /** @type {Visitor} */ visitor,
  /** @type {string[]} */ items,
  /** @type {string[]} */ before = [],
) {
  const cart = [...before];
  let last = '';
  for (const item of items) {
    cart.push(item);
    const text = JSON.stringify(cart);
    const answer = await see(visitor, 'POST', `/both/api/cart?item=${item}`, { status: 200, text });
    if (answer.pod === last) throw new Error(`${last} has answered twice in a row.`);
    last = answer.pod;
  }
}

/** Two requests in nginx's round: one comes to each side. */
async function expectOnBothSides(/** @type {Visitor} */ visitor, /** @type {string} */ name) {
  const seen = new Set();
  for (let i = 0; i < SIDES.length; i++) {
    const expected = { status: 200, text: `"name":"${name}"` };
    seen.add((await see(visitor, 'GET', '/both/api/me', expected)).pod);
  }
  if (seen.size < SIDES.length) throw new Error(`Only ${[...seen].join()} has answered.`);
}

/** Sends the form of one side with the token of the other one: they share that, too. */
async function logIn(
  /** @type {Visitor} */ visitor,
  /** @type {string} */ side,
  /** @type {string} */ name,
  /** @type {string | RegExp} */ page,
  /** @type {Record<string, string>} */ fields = {},
) {
  const before = await visitor.cookie();
  const token = await visitor.getJson(`/${other(side)}/api/csrf`);
  const form = { username: name, password: name, _csrf: token.text, ...fields };
  const location = page instanceof RegExp ? page : new RegExp(`^(?:http://[^/]+)?${page}$`);
  const answer = await visitor.submit(`/${side}/login`, form);
  expectAnswer(`POST /${side}/login as ${name}`, answer, { status: redirectOf(side), location });
  if ((await visitor.cookie()) === before) throw new Error('The login has not changed the id.');
}

async function logOut(/** @type {Visitor} */ visitor, /** @type {string} */ side) {
  const token = await visitor.getJson(`/${other(side)}/api/csrf`);
  // As a header, because Fastify has not read the form when Nest answers the logout.
  const answer = await visitor.submit(`/${side}/logout`, {}, { 'x-csrf-token': token.text });
  const location = new RegExp(`^(?:http://[^/]+)?/${side}/home$`);
  expectAnswer(`POST /${side}/logout`, answer, { status: redirectOf(side), location });
}

/** The redirect that follows a form: 302 of Spring Security, 303 here. */
function redirectOf(/** @type {string} */ side) {
  return side === 'spring' ? 302 : 303;
}

async function see(
  /** @type {Visitor} */ visitor,
  /** @type {'GET' | 'POST'} */ method,
  /** @type {string} */ path,
  /** @type {Parameters<typeof expectAnswer>[2]} */ expected,
) {
  const isPage = !path.includes('/api/');
  const answer =
    method === 'POST'
      ? await visitor.postJson(path, {})
      : await (isPage ? visitor.open(path) : visitor.getJson(path));
  const user = userShownBy(answer.text);
  expectAnswer(`${method} ${path}${user ? ` shows ${user}` : ''}`, answer, expected);
  return answer;
}

/** A page greets the user, the API names him; other answers show nobody. */
function userShownBy(/** @type {string} */ text) {
  const [, greeted, named] = /hello ([\w@.]+)|"name":"([^"]+)"/.exec(text) ?? [];
  return greeted ?? named;
}
