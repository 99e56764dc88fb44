/** A class as a stream describes it. */
export interface WrittenClass {
  readonly name: string;
  /** Its `serialVersionUID`: Java refuses a stream with another one. */
  readonly uid: bigint;
  /** Whether the class writes something itself, after its fields. */
  readonly writesItself?: true;
  /** Names and types; those of primitive types come first, as Java orders them. */
  readonly fields: Readonly<Record<string, string>>;
  readonly parent?: WrittenClass;
}

/** An object of a class: the values of its fields and of those of its parents, and what its class writes itself. */
export class WrittenObject {
  constructor(
    readonly type: WrittenClass,
    readonly fields: Readonly<Record<string, Written>> = {},
    readonly own: readonly (Written | Buffer)[] = [],
  ) {}
}

/** What a stream can hold. A field of a primitive type takes a boolean or a number. */
type Written = WrittenObject | string | number | bigint | boolean | null;

const MAGIC = Buffer.from([0xac, 0xed, 0, 5]);
const FIRST_HANDLE = 0x7e0000;
const MAX_SHORT_TEXT = 0xffff;

/** Writes what `java.io.ObjectInputStream` reads, byte for byte as Java does. */
export function writeJavaStream(value: WrittenObject | string): Buffer {
  return new JavaWriter().write(value);
}

class JavaWriter {
  private readonly chunks: Buffer[] = [MAGIC];
  /** Of objects and classes by identity, and of the names of types. */
  private readonly handles = new Map<unknown, number>();
  private count = 0;

  write(value: Written): Buffer {
    this.object(value);
    return Buffer.concat(this.chunks);
  }

  private object(value: Written): void {
    if (value === null) this.byte(0x70);
    else if (typeof value === 'string') this.text(value);
    else if (value instanceof WrittenObject && !this.refersTo(value)) this.instance(value);
  }

  private instance(object: WrittenObject): void {
    this.byte(0x73);
    this.description(object.type);
    this.keep(object);
    for (const { fields, writesItself } of lineageOf(object.type)) {
      for (const [name, type] of Object.entries(fields))
        this.field(type, object.fields[name] ?? null);
      if (!writesItself) continue;
      for (const each of object.own) {
        if (Buffer.isBuffer(each)) this.block(each);
        else this.object(each);
      }
      this.byte(0x78);
    }
  }

  private field(type: string, value: Written): void {
    if (type === 'Z') this.byte(value === true ? 1 : 0);
    else if (type === 'I') this.chunks.push(int32(Number(value)));
    else if (type === 'J') this.chunks.push(int64(BigInt(Number(value))));
    else if (type === 'D') this.chunks.push(double(Number(value)));
    else this.object(value);
  }

  private description(type: WrittenClass | undefined): void {
    if (!type) return this.byte(0x70);
    if (this.refersTo(type)) return;
    this.byte(0x72);
    this.shortText(type.name);
    this.chunks.push(int64(type.uid));
    this.keep(type);
    const fields = Object.entries(type.fields);
    this.chunks.push(Buffer.from([type.writesItself ? 3 : 2, 0, fields.length]));
    for (const [name, fieldType] of fields) {
      this.chunks.push(Buffer.from(fieldType.slice(0, 1)));
      this.shortText(name);
      if (fieldType.length > 1 && !this.refersTo(fieldType)) this.text(fieldType, fieldType);
    }
    this.byte(0x78);
    this.description(type.parent);
  }

  /** @param key - what the text can be referred to by later */
  private text(text: string, key: unknown = {}): void {
    const bytes = modifiedUtf8(text);
    this.keep(key);
    const isShort = bytes.length <= MAX_SHORT_TEXT;
    this.byte(isShort ? 0x74 : 0x7c);
    this.chunks.push(isShort ? int16(bytes.length) : int64(BigInt(bytes.length)), bytes);
  }

  private shortText(text: string): void {
    const bytes = modifiedUtf8(text);
    this.chunks.push(int16(bytes.length), bytes);
  }

  private block(bytes: Buffer): void {
    this.chunks.push(Buffer.from([0x77, bytes.length]), bytes);
  }

  private byte(value: number): void {
    this.chunks.push(Buffer.from([value]));
  }

  private keep(value: unknown): void {
    this.handles.set(value, FIRST_HANDLE + this.count++);
  }

  private refersTo(value: unknown): boolean {
    const handle = this.handles.get(value);
    if (handle === undefined) return false;
    this.byte(0x71);
    this.chunks.push(int32(handle));
    return true;
  }
}

function lineageOf(type: WrittenClass): WrittenClass[] {
  return type.parent ? [...lineageOf(type.parent), type] : [type];
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** As a class writes it itself, too. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, value));
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

/** Java's own form of UTF-8: each half of a surrogate pair by itself, and NUL as two bytes. */
function modifiedUtf8(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(3 * text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0 && unit < 0x80) {
      bytes[length++] = unit;
      continue;
    }
    if (unit < 0x800) bytes[length++] = 0xc0 | (unit >> 6);
    else {
      bytes[length++] = 0xe0 | (unit >> 12);
      bytes[length++] = 0x80 | ((unit >> 6) & 0x3f);
    }
    bytes[length++] = 0x80 | (unit & 0x3f);
  }
  return bytes.subarray(0, length);
}
