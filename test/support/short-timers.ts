/**
 * For `node --import`: no timer of more than a second goes off. What comes about all the same waited
 * for none, however slow the machine is.
 */

const NEVER = 2 ** 31 - 1

globalThis.setTimeout = new Proxy(globalThis.setTimeout, {
  apply(start, self, [work, ms = 0, ...args]) {
    return Reflect.apply(start, self, [work, ms > 1000 ? NEVER : ms, ...args])
  },
})
