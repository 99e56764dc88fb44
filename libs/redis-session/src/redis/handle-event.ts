import { type SessionEvent } from '../session/session-event.js';
import { HANDLER_TIMEOUT_MS, type SessionEventSourceInput } from './session-event-source.js';

/**
 * Has the handler handle `event`, and waits for it only so long: a handler that hangs does not hold up other events.
 *
 * @returns why it has failed, for the log, or undefined; never what is in an error's message
 */
export async function handleEvent(
  event: SessionEvent,
  { handler, handlerTimeoutMs = HANDLER_TIMEOUT_MS }: SessionEventSourceInput,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`not done within ${handlerTimeoutMs} ms`), handlerTimeoutMs);
  });
  try {
    return await Promise.race([tooLate, Promise.resolve(handler(event)).then(() => undefined)]);
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown reason';
  } finally {
    clearTimeout(timer);
  }
}
