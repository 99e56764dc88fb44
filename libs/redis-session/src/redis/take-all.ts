import { setImmediate as breathe } from 'node:timers/promises';

/**
 * Has each partition take events until there are none, or no room for more; does not wait for their handlers.
 *
 * @returns how many were taken
 */
export async function takeAll(
  partitions: readonly { take(): Promise<number> }[],
  isStopped: () => boolean,
): Promise<number> {
  let total = 0;
  let open = partitions;
  while (open.length > 0) {
    const counts = await Promise.all(open.map((partition) => partition.take()));
    total += counts.reduce((sum, count) => sum + count, 0);
    open = isStopped() ? [] : open.filter((_, i) => counts[i]);
    // Handlers that are quick make room.
    if (open.length > 0) await breathe();
  }
  return total;
}
