/** Preloaded into a process to set its wall clock one hour ahead. */
const AHEAD_MS = 3_600_000;

const RealDate = globalThis.Date;

class ShiftedDate extends RealDate {
  /** @param {ConstructorParameters<DateConstructor>} args */
  constructor(...args) {
    if (args.length === 0) {
      super(RealDate.now() + AHEAD_MS);
    } else {
      super(...args);
    }
  }

  static now() {
    return RealDate.now() + AHEAD_MS;
  }
}

globalThis.Date = /** @type {DateConstructor} */ (ShiftedDate);
