import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Redis } from 'ioredis';

/** A proxy before several servers that sends each command to the server of its first key, as some do. */
export interface ShardingProxy {
  readonly port: number;
  stop(): Promise<void>;
}

/** @param shards - each command with a key goes to one of them, all others go to the first */
export async function startShardingProxy(shards: readonly Redis[]): Promise<ShardingProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // The client closes its connection as it likes.
    serve(socket, shards).catch(() => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function serve(socket: Socket, shards: readonly Redis[]): Promise<void> {
  for await (const command of commandsOf(socket)) socket.write(await replyTo(command, shards));
}

async function replyTo(command: readonly string[], shards: readonly Redis[]): Promise<string> {
  const [name = '', ...args] = command;
  const isScript = /^eval/i.test(name);
  const key = isScript ? args[2] : /^(hgetall|del|exists)$/i.test(name) ? args[0] : undefined;
  const shard = shards[key === undefined ? 0 : (key.at(-1)?.charCodeAt(0) ?? 0) % shards.length];
  try {
    return encode(await shard?.call(name, ...args));
  } catch (error) {
    return `-${(error as Error).message}\r\n`;
  }
}

/** Commands arrive as arrays of bulk strings of ASCII; one may come in several chunks. */
async function* commandsOf(socket: Socket): AsyncGenerator<string[]> {
  let buffered = '';
  for await (const chunk of socket) {
    buffered += String(chunk);
    for (let parts = parse(buffered); parts; parts = parse(buffered)) {
      buffered = buffered.slice(parts.length);
      yield parts.command;
    }
  }
}

function parse(text: string): { command: string[]; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (!head) return undefined;
  const command: string[] = [];
  let at = head[0].length;
  for (let i = 0; i < Number(head[1]); i += 1) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20));
    if (!size) return undefined;
    const start = at + size[0].length;
    at = start + Number(size[1]) + 2;
    if (text.length < at) return undefined;
    command.push(text.slice(start, at - 2));
  }
  return { command, length: at };
}

function encode(reply: unknown): string {
  if (typeof reply === 'number') return `:${reply}\r\n`;
  if (Array.isArray(reply)) return `*${reply.length}\r\n${reply.map(encode).join('')}`;
  if (typeof reply !== 'string') return '$-1\r\n';
  return `$${Buffer.byteLength(reply)}\r\n${reply}\r\n`;
}
