/**
 * Yields the values of all cookies named exactly `name`, in the order of a `Cookie` header, without surrounding quotes.
 *
 * A browser sends several cookies of one name when they differ in path or domain; a parser that returns an object would
 * keep one of them. Linear in the length of the header; one `indexOf` when the name does not occur.
 *
 * @see RFC 6265 §5.4
 */
export function* findCookieValues(header: string, name: string): Generator<string, void> {
  const marker = `${name}=`;
  let at = header.indexOf(marker);
  while (at !== -1) {
    const start = at + marker.length;
    if (startsPair(header, at)) {
      const semicolon = header.indexOf(';', start);
      const end = semicolon === -1 ? header.length : semicolon;
      yield unquoted(header.slice(start, end).trim());
    }
    at = header.indexOf(marker, start);
  }
}

function startsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (header[before] === ' ' || header[before] === '\t')) before -= 1;
  return before < 0 || header[before] === ';';
}

function unquoted(value: string): string {
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
  return isQuoted ? value.slice(1, -1) : value;
}
