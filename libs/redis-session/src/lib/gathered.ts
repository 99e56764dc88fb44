/** Makes a function that gathers the items of one turn of the event loop. @param send - is given them all at its end, in order */
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
