import { afterAll, beforeAll, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { Visitor } from '../../tools/demo/visitor.mjs';
import { type Pod, startPod } from '../../tools/servers/pod.mjs';

let pod: Pod | undefined;
let visitor: Visitor;

beforeAll(async () => {
  pod = await startPod({ name: 'pod-b', port: await getPort(), store: 'memory' });
  visitor = new Visitor(pod.url);
});

afterAll(async () => {
  await pod?.stop();
});

const pageAt = async (path: string) => (await visitor.open(path)).text.replaceAll(/\s+/g, ' ');

it('with sessions in memory, the pages say that a login exists only on the replica that made it', async () => {
  expect(await pageAt('/')).toContain('a login that one of them has made exists only on that one');
  expect(await visitor.postJson('/login', { username: 'kim', password: 'kim' })).toMatchObject({
    status: 200,
  });
  const home = await pageAt('/');
  expect(home).toContain('This login exists only on pod-b.');
  expect(await pageAt('/members')).toContain('This login exists only on pod-b.');
  const sessions = await pageAt('/sessions');
  expect(sessions).toContain('The list shows only the logins of pod-b.');
  expect(sessions).not.toContain('on whichever replica');
});
