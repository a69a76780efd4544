// A step that cannot do its work says why and what the reader can do about it; run.mjs prints that as one line.
export class SetupFailure extends Error {
  /** @param {string} why @param {string} remedy what to do, as a full instruction */
  constructor(why, remedy) {
    super(why)
    this.remedy = remedy
  }
}
