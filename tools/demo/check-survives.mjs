import { expectAnswer } from './expect.mjs';
import { Visitor } from './visitor.mjs';

const REQUESTS = 12;
const KIM = { username: 'kim', password: 'kim' };
const ADMIN = { username: 'admin', password: 'admin' };

/** Plays visitors whose requests alternate between the replicas. @throws {Error} at the first thing that is not as promised */
export async function checkLoginSurvives(/** @type {import("./stack.mjs").Stack} */ { url }) {
  const kim = new Visitor(url);
  await checkLogin(kim);
  await checkRequests(kim);
  await checkCart(kim);
  await checkWayBack(new Visitor(url));
  await checkAuthorities(kim, new Visitor(url));
  await checkSignOutElsewhere(kim, new Visitor(url));
  await checkLogout(kim);
  console.log('\nThe login, the cart and the logout held on both replicas.');
}

async function checkLogin(/** @type {Visitor} */ kim) {
  expectAnswer('GET /login', await kim.open('/login'), { status: 200, text: '<form' });
  const wrong = { username: 'kim', password: 'wrong' };
  const refused = { status: 303, location: '/login?reason=bad-credentials' };
  expectAnswer('POST /login with a wrong password', await kim.submit('/login', wrong), refused);
  expectAnswer('POST /login as kim', await kim.submit('/login', KIM), {
    status: 303,
    location: '/',
  });
  expectAnswer('GET /', await kim.open('/'), { status: 200, text: '<strong>kim</strong>' });
}

async function checkRequests(/** @type {Visitor} */ kim) {
  const pods = new Set();
  for (let request = 1; request <= REQUESTS; request++) {
    const { status, text, pod } = await kim.getJson('/api/me');
    const user = status === 200 ? JSON.parse(text).user : `(${status})`;
    console.log(`request ${String(request).padStart(2)}  ${user}  ${pod}`);
    if (user !== 'kim') throw new Error(`The login was lost on ${pod}: ${status}.\n${text}`);
    pods.add(pod);
  }
  if (pods.size !== 2)
    throw new Error(`Expected answers of two replicas, got ${[...pods].join()}.`);
}

async function checkCart(/** @type {Visitor} */ kim) {
  const added = await kim.postJson('/api/cart', { item: 'tea' });
  expectAnswer('POST /api/cart tea', added, { status: 201, text: 'tea' });
  const read = await kim.getJson('/api/cart');
  expectAnswer('GET /api/cart', read, { status: 200, text: 'tea' });
  if (read.pod === added.pod)
    throw new Error(`Expected another replica than ${added.pod} to answer.`);
}

async function checkWayBack(/** @type {Visitor} */ visitor) {
  const away = await visitor.open('/members');
  expectAnswer('GET /members, not logged in', away, { status: 302, location: /^\/login\?/ });
  const sentBack = { status: 303, location: '/members' };
  expectAnswer(
    'POST /login as kim',
    await visitor.submit(away.location ?? '/login', KIM),
    sentBack,
  );
  expectAnswer('GET /members', await visitor.open('/members'), { status: 200, text: 'Members' });
}

async function checkAuthorities(/** @type {Visitor} */ kim, /** @type {Visitor} */ admin) {
  expectAnswer('GET /admin as kim', await kim.open('/admin'), { status: 403 });
  const login = await admin.postJson('/login', ADMIN);
  expectAnswer('POST /login as admin, JSON', login, { status: 200, text: 'ADMIN' });
  expectAnswer('GET /admin as admin', await admin.open('/admin'), { status: 200, text: 'Admin' });
}

async function checkSignOutElsewhere(/** @type {Visitor} */ kim, /** @type {Visitor} */ phone) {
  expectAnswer('POST /login as kim, elsewhere', await phone.submit('/login', KIM), {
    status: 303,
    location: '/',
  });
  expectAnswer('GET /sessions', await kim.open('/sessions'), {
    status: 200,
    text: 'Another browser',
  });
  expectAnswer('POST /sessions/end-others', await kim.submit('/sessions/end-others'), {
    status: 303,
    location: '/sessions',
  });
  expectAnswer('GET /members, elsewhere', await phone.open('/members'), {
    status: 302,
    location: /^\/login\?reason=signed-out/,
  });
  expectAnswer('GET /sessions', await kim.open('/sessions'), { status: 200, text: 'here only' });
}

async function checkLogout(/** @type {Visitor} */ kim) {
  expectAnswer('POST /logout', await kim.submit('/logout'), {
    status: 303,
    location: '/login?reason=logged-out',
  });
  for (let request = 0; request < 2; request++) {
    expectAnswer('GET /api/me', await kim.getJson('/api/me'), { status: 401 });
  }
}
