import { Session } from 'node:inspector/promises';

/** Counts how often blocks of the library's code run: the same number for the same work, whatever else the machine does. */
export interface StepCounter {
  /** The steps of `work`, without those inside of regular expressions and of functions that Node has. */
  count(work: () => unknown): Promise<number>;
  stop(): void;
}

/** To be called before the code has run for the first time: V8 counts no blocks of what is compiled already. */
export async function startStepCounter(): Promise<StepCounter> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const take = async (): Promise<number> => {
    const { result } = await session.post('Profiler.takePreciseCoverage');
    return result
      .filter(({ url }) => url.includes('/libs/redis-session/src/'))
      .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
      .reduce((sum, { count }) => sum + count, 0);
  };
  const count = async (work: () => unknown): Promise<number> => {
    await take();
    await work();
    return take();
  };
  return { count, stop: () => session.disconnect() };
}
