/**
 * Makes a function that gathers what it is given during one turn of the event loop.
 *
 * @param send - is given all of a turn, in order, at its end
 */
export function gathered<T>(send: (items: readonly T[]) => void): (item: T) => void {
  let waiting: T[] = [];
  const flush = () => {
    const items = waiting;
    waiting = [];
    send(items);
  };
  return (item) => {
    waiting.push(item);
    if (waiting.length === 1) setImmediate(flush);
  };
}
