import { Redis } from 'ioredis';
import { monitorCommands } from '../../tools/servers/redis-monitor.mjs';

/**
 * What a Redis has done between two readings.
 *
 * @typedef {object} RedisUse
 * @property {number} cpuUs - of the whole process, its system calls included
 * @property {number} commandUs - inside commands alone
 * @property {number} bytesIn
 * @property {number} bytesOut
 */

/** Commands of the meter itself. */
const OWN_COMMANDS = ['info', 'monitor', 'echo'];
const UNCOUNTED = ['INFO', 'MONITOR', 'ECHO', 'PING'];
const END_OF_RECORDING = 'end of recording';

/** Reads the counters of a Redis. */
export class RedisMeter {
  constructor(/** @type {string} */ url) {
    this.url = url;
    this.redis = new Redis(url);
  }

  /**
   * Runs `action` and says what the Redis did meanwhile; what the meter's own questions cost is taken off.
   *
   * @template T
   * @param {() => Promise<T>} action
   * @returns {Promise<{ result: T, use: RedisUse }>}
   */
  async during(action) {
    const earlier = await this.read();
    const before = await this.read();
    const result = await action();
    const after = await this.read();
    const ownBytes = (name) => before[name] - earlier[name];
    return {
      result,
      use: {
        cpuUs: after.cpuUs - before.cpuUs,
        commandUs: commandUsBetween(before.usecByCommand, after.usecByCommand),
        bytesIn: after.bytesIn - before.bytesIn - ownBytes('bytesIn'),
        bytesOut: after.bytesOut - before.bytesOut - ownBytes('bytesOut'),
      },
    };
  }

  /**
   * Records the commands that clients send during `action`; those inside scripts are left out, and so are signs of life of a
   * connection, which belong to no request.
   *
   * @param {() => Promise<unknown>} action
   * @returns {Promise<{ name: string, bytes: number }[]>} `bytes` are those on the connection
   */
  async commandsDuring(action) {
    const commands = [];
    let onEnd;
    const ended = new Promise((resolve) => {
      onEnd = resolve;
    });
    const monitor = await monitorCommands(this.url, ([name, argument], bytes) => {
      if (argument === END_OF_RECORDING) onEnd();
      else commands.push({ name: name.toUpperCase(), bytes });
    });
    await action();
    await this.redis.echo(END_OF_RECORDING);
    await ended;
    monitor.stop();
    return commands.filter(({ name }) => !UNCOUNTED.includes(name));
  }

  async read() {
    const text = (
      await Promise.all(['stats', 'cpu', 'commandstats'].map((s) => this.redis.info(s)))
    ).join();
    const numberOf = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1]);
    const usecs = [...text.matchAll(/^cmdstat_([^:]+):.*?usec=(\d+)/gm)];
    return {
      cpuUs: (numberOf('used_cpu_sys') + numberOf('used_cpu_user')) * 1e6,
      usecByCommand: new Map(usecs.map(([, name, usec]) => [name, Number(usec)])),
      bytesIn: numberOf('total_net_input_bytes'),
      bytesOut: numberOf('total_net_output_bytes'),
    };
  }

  async close() {
    await this.redis.quit();
  }
}

/** The time of the commands inside a script is part of the script's: where scripts ran, only theirs counts. */
function commandUsBetween(before, after) {
  const spent = [...after]
    .filter(([name]) => !OWN_COMMANDS.includes(name))
    .map(([name, usec]) => [name, usec - (before.get(name) ?? 0)]);
  const inScripts = spent.filter(([name]) => /^(evalsha|eval|fcall)$/.test(name));
  const sum = (pairs) => pairs.reduce((total, [, usec]) => total + usec, 0);
  return sum(inScripts) || sum(spent);
}
