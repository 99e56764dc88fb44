/** When changes are written. Mirrors `FlushMode` of Spring Session. */
export const FlushMode = {
  /** Once, before the response leaves, or when `save()` is called. */
  OnSave: 'on-save',
  /** As soon as the running code yields; the response still waits for it. For handlers that run long. */
  Immediate: 'immediate',
} as const;

/** One of the values of {@link FlushMode}. */
export type FlushMode = (typeof FlushMode)[keyof typeof FlushMode];
