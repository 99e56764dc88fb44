const SHOWN = 45;

/**
 * @param {{ nodes: readonly object[], samples: readonly number[], timeDeltas: readonly number[] }} profile - of V8
 * @param {'file' | 'function'} by
 * @returns {string} the share of the self time of each, the largest first, a line each
 */
export function hottest({ nodes, samples, timeDeltas }, by) {
  const nameOf = new Map(nodes.map(({ id, callFrame }) => [id, name(callFrame, by)]));
  const times = new Map();
  let total = 0;
  samples.forEach((id, index) => {
    const key = nameOf.get(id);
    if (key.startsWith('(idle)') || key.startsWith('(program)')) return;
    const time = timeDeltas[index] ?? 0;
    total += time;
    times.set(key, (times.get(key) ?? 0) + time);
  });
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([key, time]) => `${((100 * time) / total).toFixed(1).padStart(5)} %  ${key}`)
    .join('\n');
}

function name({ functionName, url, lineNumber }, by) {
  const file = url.replace(/^.*(node_modules\/|libs\/redis-session\/)/, '');
  if (by === 'file' && file) return file;
  return file ? `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}` : functionName;
}
