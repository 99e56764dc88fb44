import { expectAnswer } from './expect.mjs';
import { Visitor } from './visitor.mjs';

/** Shows the problem: with sessions in memory the next request loses the login. @throws {Error} when it does not */
export async function checkLoginIsLost(/** @type {import('./stack.mjs').Stack} */ { url }) {
  const kim = new Visitor(url);
  const login = await kim.postJson('/login', { username: 'kim', password: 'kim' });
  expectAnswer('POST /login as kim', login, { status: 200, text: 'kim' });
  const next = await kim.getJson('/api/me');
  const user = next.status === 200 ? JSON.parse(next.text).user : 'nobody';
  console.log(`request  1  ${user}  ${next.pod}`);
  if (next.pod === login.pod)
    throw new Error(`Expected another replica than ${login.pod} to answer.`);
  if (next.status !== 401)
    throw new Error('The login was NOT lost, although each replica keeps its own sessions.');
  console.log(`\nAs expected, the login is lost: ${login.pod} knows kim, ${next.pod} does not.`);
}

/**
 * Shows the problem with sessions in memory and a proxy that keeps each browser on one replica: it works until that replica
 * stops.
 *
 * @throws {Error} when the login is lost earlier, or not at all
 */
export async function checkLoginEndsWithReplica(
  /** @type {import('./stack.mjs').Stack} */ { url, pods },
) {
  const kim = new Visitor(url);
  const login = await kim.postJson('/login', { username: 'kim', password: 'kim' });
  expectAnswer('POST /login as kim', login, { status: 200, text: 'kim' });
  for (let request = 1; request <= 3; request += 1) {
    const answer = await kim.getJson('/api/me');
    expectAnswer(`GET /api/me, ${request}`, answer, { status: 200, text: 'kim' });
    if (answer.pod !== login.pod) throw new Error(`Expected ${login.pod} to answer.`);
  }
  await pods.find(({ name }) => name === login.pod)?.stop();
  console.log(`${login.pod} stops, as in every deployment`);
  const after = await kim.getJson('/api/me');
  expectAnswer('GET /api/me', after, { status: 401 });
  console.log(
    `\nAs expected, the login has ended with ${login.pod}: ${after.pod} does not know kim.`,
  );
}
