import { type Command, type Redis } from 'ioredis';
import { foreignProperty } from '../../lib/foreign-property.js';
import { type RedisClient, isSingleServer } from './redis-client.js';

/** The arguments of a command while others see a prefix in their place. */
const ARGUMENTS = Symbol('hidden arguments');
type HidingCommand = Command & { [ARGUMENTS]: Command['args'] };

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
    const command = sent[0] as HidingCommand;
    const prefix = prefixIn(command, prefixes);
    if (prefix === undefined) return prototype.sendCommand.apply(client, sent);
    const { args } = command;
    command[ARGUMENTS] = args;
    command.args = [`${prefix}…`];
    // It stays: to delete it costs each command a microsecond, and the garbage collector more.
    command.toWritable = writeArguments;
    try {
      return prototype.sendCommand.apply(client, sent);
    } finally {
      command.args = args;
    }
  };
}

/** `toWritable` of the command, which sees its arguments for as long as it runs. */
function writeArguments(this: HidingCommand, ...sent: Parameters<Command['toWritable']>) {
  const shown = this.args;
  this.args = this[ARGUMENTS];
  try {
    return (Object.getPrototypeOf(this) as Command).toWritable.apply(this, sent);
  } finally {
    this.args = shown;
  }
}

/** The prefix that an argument of `command` begins with. */
function prefixIn({ args }: Command, prefixes: ReadonlySet<string>): string | undefined {
  for (const argument of args)
    if (typeof argument === 'string')
      for (const prefix of prefixes) if (argument.startsWith(prefix)) return prefix;
  return undefined;
}
