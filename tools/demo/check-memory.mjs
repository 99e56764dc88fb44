import { expectAnswer } from './expect.mjs';
import { Visitor } from './visitor.mjs';

/** Shows the problem: with sessions in memory the first hop loses the login. @throws {Error} when it does not */
export async function checkLoginIsLost(/** @type {string} */ url) {
  const kim = new Visitor(url);
  const login = await kim.postJson('/login', { username: 'kim', password: 'kim' });
  expectAnswer('POST /login as kim', login, { status: 200, text: 'kim' });
  const hop = await kim.getJson('/api/me');
  const user = hop.status === 200 ? JSON.parse(hop.text).user : 'nobody';
  console.log(`hop  1  ${user}  ${hop.pod}`);
  if (hop.pod === login.pod)
    throw new Error(`Expected another replica than ${login.pod} to answer.`);
  if (hop.status !== 401)
    throw new Error('The login was NOT lost, although each replica keeps its own sessions.');
  console.log(
    `\nAs expected, the login is lost at the first hop: ${login.pod} knows kim, ${hop.pod} does not.`,
  );
}
