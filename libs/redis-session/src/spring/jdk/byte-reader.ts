import { JavaValue } from '../java-value.js';

/** Reads numbers and texts as Java writes them. Every method throws when the bytes end before the value does. */
export class ByteReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  take(length: number): Buffer {
    if (length > this.bytes.length - this.at) throw new RangeError('A Java stream is cut off.');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** @param length - bytes; of 8, those that a double holds exactly */
  unsigned(length: number): number {
    const bytes = this.take(length);
    return length === 8 ? Number(bytes.readBigUInt64BE()) : bytes.readUIntBE(0, length);
  }

  /** @param type - as descriptors of Java call it, such as `I` */
  primitive(type: string): boolean | number | string | JavaValue {
    switch (type) {
      case 'Z':
        return this.unsigned(1) !== 0;
      case 'B':
        return this.take(1).readInt8();
      case 'S':
        return this.take(2).readInt16BE();
      case 'C':
        return String.fromCharCode(this.unsigned(2));
      case 'I':
        return this.take(4).readInt32BE();
      case 'J':
        return longOf(this.take(8).readBigInt64BE());
      case 'F':
        return this.take(4).readFloatBE();
      case 'D':
        return this.take(8).readDoubleBE();
      default:
        throw new Error('A Java stream holds a value of an unknown type.');
    }
  }

  /** Java's own UTF-8: each half of a surrogate pair takes three bytes, and NUL two. @param length - bytes */
  text(length: number): string {
    const bytes = this.take(length);
    if (bytes.every((byte) => byte < 0x80)) return bytes.toString('latin1');
    const units: number[] = [];
    for (let i = 0; i < bytes.length;) {
      const [first = 0, second = 0, third = 0] = bytes.subarray(i, i + 3);
      const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : 3;
      if (size === 1) units.push(first);
      else if (size === 2) units.push(((first & 0x1f) << 6) | (second & 0x3f));
      else units.push(((first & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f));
      i += size;
    }
    return textOf(units);
  }
}

/** At once it would take more arguments than a call may have. */
function textOf(units: readonly number[]): string {
  let text = '';
  for (let i = 0; i < units.length; i += 10_000)
    text += String.fromCharCode(...units.slice(i, i + 10_000));
  return text;
}

/** JavaScript would change a large one. */
function longOf(long: bigint): number | JavaValue {
  const number = Number(long);
  return BigInt(number) === long ? number : new JavaValue('java.lang.Long', String(long));
}
