import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { Redis } from 'ioredis';
import { monitorCommands } from '../../../tools/servers/redis-monitor.mjs';

/** What clients have sent to one Redis since the recording began; commands inside Lua scripts are left out. */
export interface RecordedCommands {
  /** The commands since the last `take()`, in the order in which Redis ran them; names are as the client wrote them. */
  take(): Promise<string[][]>;
  stop(): Promise<void>;
}

/**
 * Records every command that reaches the Redis at `redisUrl`, from all clients.
 *
 * Use a Redis of the test file's own ({@link startRedis}): other test files use the shared one at the same time.
 */
export async function recordCommands(redisUrl: string): Promise<RecordedCommands> {
  const control = new Redis(redisUrl);
  const recorded = new EventEmitter();
  let commands: string[][] = [];
  const monitor = await monitorCommands(redisUrl, (command) => {
    commands.push(command);
    recorded.emit('command');
  });
  const take = async (): Promise<string[][]> => {
    const marker = `end-of-recording-${randomUUID()}`;
    const isMarker = ([name, text]: string[]): boolean =>
      name?.toLowerCase() === 'echo' && text === marker;
    await control.echo(marker);
    while (!commands.some(isMarker)) await once(recorded, 'command');
    const end = commands.findIndex(isMarker);
    const taken = commands.slice(0, end);
    commands = commands.slice(end + 1);
    return taken;
  };
  const stop = async (): Promise<void> => {
    monitor.stop();
    await control.quit();
  };
  await take();
  return { take, stop };
}
