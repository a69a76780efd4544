// The library has no types of its own.
declare module 'cluster-key-slot' {
  /** The slot of a key, 0 to 16383; a hash tag counts. */
  function keySlot(key: string | Uint8Array): number
  export = keySlot
}
