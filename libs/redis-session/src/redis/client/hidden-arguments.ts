import { type Command, type Redis } from 'ioredis';
import { foreignProperty } from '../../lib/foreign-property.js';
import { type RedisClient } from '../sessions/redis-session.commands.js';
import { isSingleServer } from './redis-client.js';

const prefixesOf = foreignProperty<Set<string>>('prefixes of keys with hidden arguments');

/**
 * Keeps session ids and values out of traces, whatever is configured there. OpenTelemetry's instrumentation of ioredis,
 * the diagnostics channel of ioredis 6 and its debug log show all arguments of `EVALSHA` and `HGETALL`. Of a command with a
 * key that begins with `keyPrefix`, they now see the name and the prefix. Redis gets the command as it was.
 *
 * @param keyPrefix - without that of the client
 */
export function hideArguments(client: RedisClient, keyPrefix: string): void {
  if (isSingleServer(client)) return hideArgumentsOf(client, keyPrefix);
  for (const node of client.nodes()) hideArgumentsOf(node, keyPrefix);
  client.on('+node', (node: Redis) => hideArgumentsOf(node, keyPrefix));
}

function hideArgumentsOf(client: Redis, keyPrefix: string): void {
  const prefixes = prefixesOf.get(client) ?? new Set();
  const isHiding = prefixes.size > 0;
  prefixes.add((client.options.keyPrefix ?? '') + keyPrefix);
  if (isHiding) return;
  prefixesOf.set(client, prefixes);
  const prototype = Object.getPrototypeOf(client) as Redis;
  // Looked up at each call: instrumentation may replace it at any time.
  client.sendCommand = (...sent) => {
    const [command] = sent;
    const prefix = prefixIn(command, prefixes);
    if (prefix === undefined) return prototype.sendCommand.apply(client, sent);
    const { args } = command;
    const hide = () => void (command.args = [`${prefix}…`]);
    hide();
    command.toWritable = (socket) => {
      command.args = args;
      const writable = (Object.getPrototypeOf(command) as Command).toWritable.call(command, socket);
      hide();
      return writable;
    };
    try {
      return prototype.sendCommand.apply(client, sent);
    } finally {
      command.args = args;
      Reflect.deleteProperty(command, 'toWritable');
    }
  };
}

/** The prefix that an argument of `command` begins with. */
function prefixIn({ args }: Command, prefixes: ReadonlySet<string>): string | undefined {
  for (const argument of args)
    if (typeof argument === 'string')
      for (const prefix of prefixes) if (argument.startsWith(prefix)) return prefix;
  return undefined;
}
