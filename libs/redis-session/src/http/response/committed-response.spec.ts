import { afterEach, describe, expect, it } from '@jest/globals';
import { type RequestListener } from 'node:http';
import { RawClient } from '../../../../../test/support/http/raw-client.js';
import {
  startRawServer,
  turns,
  type RawServer,
} from '../../../../../test/support/http/raw-server.js';
import { ScriptedCommitter } from '../../../../../test/support/http/scripted-committer.js';
import {
  WAYS_OF_ANSWERING,
  type WayOfAnswering,
} from '../../../../../test/support/apps/ways-of-answering.js';
import { CommittedResponse } from './committed-response.js';

let server: RawServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(listener: RequestListener): Promise<RawClient> {
  server = await startRawServer(listener);
  return new RawClient(server.port);
}

/** The bytes of one answer; `committer` undefined = without the wrapper. */
async function answerOf(way: WayOfAnswering, committer?: ScriptedCommitter): Promise<string> {
  const client = await serve((_, response) => {
    if (committer) CommittedResponse.attach(response, committer);
    void way.answer(response);
  });
  client.ask(way.method, { version: way.version ?? '1.1' });
  if (committer?.isDirty) {
    await committer.started();
    await turns();
    const early = client.received.replaceAll(/HTTP\/1\.1 10[\s\S]*?\r\n\r\n/g, '');
    expect(early).toBe('');
    committer.succeed();
  }
  await client.closed;
  await server?.close();
  server = undefined;
  return client.received;
}

describe('CommittedResponse', () => {
  describe.each(WAYS_OF_ANSWERING)('when the app answers with $title', (way) => {
    it('sends the same bytes when there is nothing to save', async () => {
      const committer = new ScriptedCommitter({ isDirty: false });
      expect((await answerOf(way, committer)) === (await answerOf(way))).toBe(true);
      expect(committer.history).toEqual([]);
    });

    it('sends nothing before the commit, then the same bytes', async () => {
      const committer = new ScriptedCommitter();
      const held = await answerOf(way, committer);
      const plain = await answerOf(way);
      expect(held.slice(0, 2000)).toBe(plain.slice(0, 2000));
      expect(held === plain).toBe(true);
      expect(committer.history).toEqual(['commit']);
    });

    it('adds the same Set-Cookie, held or not', async () => {
      const cookies = ['session=a'];
      const clean = await answerOf(way, new ScriptedCommitter({ isDirty: false, cookies }));
      const committer = new ScriptedCommitter({ cookies });
      const held = await answerOf(way, committer);
      expect(held === clean).toBe(true);
      expect(held).toContain('Set-Cookie: session=a\r\n');
      expect(committer.history).toEqual(['commit', 'headers']);
    });
  });
});
