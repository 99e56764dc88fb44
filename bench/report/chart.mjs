const WIDTH = 760;
const LABEL_WIDTH = 330;
const ROW_HEIGHT = 26;
const HEAD_HEIGHT = 52;

/**
 * Draws one bar per contestant, the longest on top unless they have an order of their own, with a line from the least to the
 * greatest value of a round.
 *
 * @param {string} title
 * @param {string} unit
 * @param {readonly { label: string, isOurs: boolean, spread: import('./statistics.mjs').Spread }[]} bars
 * @param {{ isOrdered?: boolean }} [form]
 * @returns {string} SVG, readable on light and on dark pages
 */
export function barChart(title, unit, bars, { isOrdered = false } = {}) {
  const rows = bars.map((bar) => ({ ...bar, ...bar.spread }));
  if (!isOrdered) rows.sort((a, b) => b.median - a.median);
  const scale = (WIDTH - LABEL_WIDTH - 80) / Math.max(...rows.map(({ max }) => max));
  const height = HEAD_HEIGHT + rows.length * ROW_HEIGHT + 12;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${height}" rx="6" fill="#ffffff"/>`,
    `<text x="16" y="24" font-size="15" font-weight="600" fill="#1c2128">${escape(title)}</text>`,
    `<text x="16" y="42" fill="#57606a">${escape(unit)}</text>`,
    ...rows.map((row, index) => drawRow(row, HEAD_HEIGHT + index * ROW_HEIGHT, scale)),
    '</svg>\n',
  ].join('\n');
}

function drawRow({ label, isOurs, median, min, max }, y, scale) {
  const middle = y + ROW_HEIGHT / 2;
  const [from, to, end] = [min, max, median].map((value) => LABEL_WIDTH + value * scale);
  const weight = isOurs ? ' font-weight="600"' : '';
  return [
    `<text x="${LABEL_WIDTH - 10}" y="${middle + 4}" text-anchor="end"${weight} fill="#1c2128">${escape(label)}</text>`,
    `<rect x="${LABEL_WIDTH}" y="${y + 4}" width="${(end - LABEL_WIDTH).toFixed(1)}" height="${ROW_HEIGHT - 8}" fill="${isOurs ? '#d6336c' : '#adb5bd'}"/>`,
    `<line x1="${from.toFixed(1)}" x2="${to.toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#1c2128"/>`,
    `<text x="${(Math.max(to, end) + 8).toFixed(1)}" y="${middle + 4}"${weight} fill="#1c2128">${median.toFixed(2)}</text>`,
  ].join('');
}

function escape(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
