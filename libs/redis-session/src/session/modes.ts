/** Which attributes a save writes. Literals are accepted: `saveMode: 'on-set-attribute'`. Mirrors `SaveMode` of Spring Session. */
export const SaveMode = {
  /** What was set or removed, and what was read and then mutated in place, seen by comparing its encoding. */
  OnChange: 'on-change',
  /** Only what was set or removed. Mutations in place are not seen. */
  OnSetAttribute: 'on-set-attribute',
  /** What was set, removed or read, whether it changed or not. */
  OnGetAttribute: 'on-get-attribute',
  /** All attributes at every save: parallel requests overwrite each other. */
  Always: 'always',
} as const;

/** One of the values of {@link SaveMode}. */
export type SaveMode = (typeof SaveMode)[keyof typeof SaveMode];

/** When changes are written. Mirrors `FlushMode` of Spring Session. */
export const FlushMode = {
  /** Once, before the response leaves, or when `save()` is called. */
  OnSave: 'on-save',
  /** As soon as the running code yields; the response still waits for it. For handlers that run long. */
  Immediate: 'immediate',
} as const;

/** One of the values of {@link FlushMode}. */
export type FlushMode = (typeof FlushMode)[keyof typeof FlushMode];
