/**
 * Turns attribute values into text and back. One codec serves all attributes; it may choose by `name`.
 *
 * Both methods are synchronous and deterministic: `encode(decode(text, name), name)` names the same value as `text`.
 */
export interface SessionCodec {
  /**
   * @param value - never undefined
   * @throws SessionEncodingError when a part of the value would be lost
   */
  encode(value: unknown, name: string): string;

  /** @throws any error when `text` was not made by this codec */
  decode(text: string, name: string): unknown;
}
