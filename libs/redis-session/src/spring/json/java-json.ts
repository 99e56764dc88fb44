import { jsonSessionCodec } from '../../session/attributes/codec.js';
import { withMarks, withoutMarks } from './exact-numbers.js';
import { type JavaTypes } from './java-types.js';
import { fromTyped } from './typed-json-reader.js';
import { TypedJson } from './typed-json-writer.js';

/**
 * Reads and writes JSON with Java's types, as Spring Security's Jackson modules do. A `Date` stays a date. Java classes that
 * JavaScript has no counterpart of are kept by {@link javaClassOf}.
 *
 * ```
 * {"@class":"java.util.LinkedHashMap","sku":1,"tags":["java.util.ArrayList",["new"]],"at":["java.util.Date",1404360000000]}
 * ```
 */
export const javaJson = {
  /**
   * @param types - of the classes of which Spring can read objects
   * @throws SessionEncodingError when Java could not read it
   */
  encode(value: unknown, name: string, types: JavaTypes): string {
    // Jackson reads 500 levels; a list takes two of them. This refuses far fewer levels, and all that JSON would lose.
    jsonSessionCodec.encode(value, name);
    return withoutMarks(JSON.stringify(new TypedJson(types).of(value, name, false)));
  },

  /** @throws SyntaxError when `text` is no JSON */
  decode(text: string): unknown {
    return fromTyped(jsonSessionCodec.decode(withMarks(text), ''), false);
  },
};
