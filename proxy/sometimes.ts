/** In ms: whoever brings it about again and again makes a line a minute. */
const BETWEEN = 60_000

/** Says something a minute at most, and how often there was cause for it since it was last said. */
export function sometimes<Cause>(
  say: (cause: Cause, times: number) => void,
): (cause: Cause, now: number) => void {
  let times = 0
  let last = Number.NEGATIVE_INFINITY
  return (cause, now) => {
    times++
    // A clock that went back must not make it silent.
    if (now >= last && now < last + BETWEEN) return
    say(cause, times)
    times = 0
    last = now
  }
}
