import { ByteReader } from './byte-reader.js';
import {
  ClassDescription,
  type Field,
  type JavaObject,
  lineageOf,
  toPlain,
} from './java-classes.js';

/** More than sessions need, and little enough for a server that reads nonsense. */
export const MAX_STREAM_BYTES = 2 ** 20;
const MAX_DEPTH = 100;
/** Values of a tree in which what is referred to twice counts twice. */
const MAX_VALUES = 100_000;

const MAGIC = 0xaced0005;
const FIRST_HANDLE = 0x7e0000;
const Type = {
  Null: 0x70,
  Reference: 0x71,
  ClassDescription: 0x72,
  Object: 0x73,
  String: 0x74,
  Array: 0x75,
  Block: 0x77,
  EndOfBlocks: 0x78,
  LongBlock: 0x7a,
  LongString: 0x7c,
  Enum: 0x7e,
} as const;
const Flag = { WritesItself: 1, Serializable: 2, Externalizable: 4, Blocks: 8 } as const;

/** What a handle stands for; without a value as long as it is being read. */
interface Known {
  readonly value?: unknown;
  readonly size: number;
}

const END = Symbol('end of blocks');
const UNFINISHED: Known = { size: 0 };

/**
 * Reads what `java.io.ObjectOutputStream` has written, as data: no class is looked up, and no code of one runs. Objects come as
 * `javaJson` gives them.
 *
 * @throws Error when it is no such stream, holds a cycle or a proxy, or is larger than 1 MiB, 100 levels or 100,000 values
 */
export function readJavaStream(bytes: Buffer): unknown {
  if (bytes.length > MAX_STREAM_BYTES) throw new Error('A Java stream is too large.');
  return new JavaStream(new ByteReader(bytes)).readAll();
}

class JavaStream {
  private readonly known: Known[] = [];
  private depth = 0;
  private size = 0;

  constructor(private readonly bytes: ByteReader) {}

  readAll(): unknown {
    if (this.bytes.unsigned(4) !== MAGIC) throw new Error('This is no Java stream.');
    const value = this.valueOf('L');
    if (!this.bytes.isAtEnd) throw new Error('A Java stream holds more than one object.');
    return value;
  }

  /** One object, string, array, constant or null; in what a class writes itself, also bytes and their end. */
  private content(): unknown {
    if (++this.depth > MAX_DEPTH) throw new Error('A Java stream is nested too deeply.');
    this.count(1);
    const value = this.contentOf(this.bytes.unsigned(1));
    this.depth--;
    return value;
  }

  private contentOf(type: number): unknown {
    switch (type) {
      case Type.Null:
        return null;
      case Type.Reference:
        return this.referred();
      case Type.Object:
        return this.object();
      case Type.String:
        return this.text(2);
      case Type.LongString:
        return this.text(8);
      case Type.Array:
        return this.array();
      case Type.Enum:
        return this.constant();
      case Type.Block:
        return this.bytes.take(this.bytes.unsigned(1));
      case Type.LongBlock:
        return this.bytes.take(this.bytes.unsigned(4));
      case Type.EndOfBlocks:
        return END;
      default:
        throw new Error('A Java stream holds something that no session holds.');
    }
  }

  private object(): unknown {
    const description = this.description();
    if (!description) throw new Error('An object in a Java stream has no class.');
    const finish = this.begin();
    const fields: Record<string, unknown> = {};
    const written: unknown[] = [];
    for (const part of lineageOf(description)) this.part(part, fields, written);
    const object: JavaObject = { className: description.name, fields, written };
    return finish(toPlain(object));
  }

  /** What one class of the lineage of an object has written. */
  private part(
    { flags, fields }: ClassDescription,
    values: Record<string, unknown>,
    written: unknown[],
  ): void {
    if (flags & Flag.Serializable) {
      for (const field of fields) setOwn(values, field.name, this.valueOf(field.type));
      if (flags & Flag.WritesItself) this.untilEnd(written);
    } else if (flags & Flag.Externalizable && flags & Flag.Blocks) {
      this.untilEnd(written);
    } else {
      throw new Error('A Java stream holds an object that only its own class can read.');
    }
  }

  private untilEnd(contents: unknown[]): void {
    for (let next = this.content(); next !== END; next = this.content()) contents.push(next);
  }

  private array(): unknown {
    const description = this.description();
    const finish = this.begin();
    const type = description?.name[1] ?? '';
    const length = this.bytes.unsigned(4);
    this.count(length);
    const items: unknown[] = [];
    while (items.length < length) items.push(this.valueOf(type));
    return finish(items);
  }

  private constant(): unknown {
    const description = this.description();
    const finish = this.begin();
    const name = this.valueOf('L');
    return finish(toPlain({ className: description?.name ?? '', fields: {}, written: [name] }));
  }

  private text(lengthBytes: number): string {
    const finish = this.begin();
    return finish(this.bytes.text(this.bytes.unsigned(lengthBytes)));
  }

  private valueOf(type: string): unknown {
    if (type !== 'L' && type !== '[') return this.bytes.primitive(type);
    const value = this.content();
    if (value === END || Buffer.isBuffer(value))
      throw new Error('A field of a Java stream holds no value.');
    return value;
  }

  private description(): ClassDescription | undefined {
    const type = this.bytes.unsigned(1);
    if (type === Type.Null) return undefined;
    const value = type === Type.Reference ? this.referred() : undefined;
    if (value instanceof ClassDescription) return value;
    if (type !== Type.ClassDescription) throw new Error('A Java stream holds no class.');
    if (++this.depth > MAX_DEPTH) throw new Error('A Java stream is nested too deeply.');
    const description = new ClassDescription(this.bytes.text(this.bytes.unsigned(2)));
    this.bytes.take(8);
    this.begin()(description);
    description.flags = this.bytes.unsigned(1);
    description.fields = this.fields();
    this.untilEnd([]);
    description.parent = this.description();
    this.depth--;
    return description;
  }

  private fields(): Field[] {
    const count = this.bytes.unsigned(2);
    return Array.from({ length: count }, () => {
      const type = String.fromCharCode(this.bytes.unsigned(1));
      const name = this.bytes.text(this.bytes.unsigned(2));
      // The class of what the field may hold.
      if (type === 'L' || type === '[') this.content();
      return { type, name };
    });
  }

  /** Gives the next handle to what is about to be read. @returns a function that takes what has been read */
  private begin(): <T>(value: T) => T {
    const index = this.known.push(UNFINISHED) - 1;
    const before = this.size;
    return (value) => {
      this.known[index] = { value, size: this.size - before };
      return value;
    };
  }

  private referred(): unknown {
    const known = this.known[this.bytes.unsigned(4) - FIRST_HANDLE];
    if (!known || known === UNFINISHED)
      throw new Error('A Java stream holds a cycle, or refers to nothing.');
    this.count(known.size);
    return known.value;
  }

  private count(values: number): void {
    this.size += values;
    if (this.size > MAX_VALUES) throw new Error('A Java stream holds too many values.');
  }
}

/** Also a field that is called `__proto__` is nothing but a field. */
function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
