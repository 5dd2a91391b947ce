import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again and again until it is so; fails after a time that nothing here takes. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; ) {
    if (await isSo()) return
    await sleep(20)
  }
  throw new Error(`It has not come to be: ${isSo}`)
}
