/** How many texts are remembered, and how long one may be. */
const CAPACITY = 1024
const LONGEST = 64

/**
 * What `judge` says of a text, remembered unless it is undefined: for what nearly all requests say
 * alike. Bounded, whoever sends the texts.
 */
export function remember<Verdict>(judge: (text: string) => Verdict): (text: string) => Verdict {
  const verdicts = new Map<string, Verdict>()
  return (text) => {
    const known = verdicts.get(text)
    if (known !== undefined) return known
    const verdict = judge(text)
    if (verdicts.size >= CAPACITY) verdicts.clear()
    if (text.length <= LONGEST) verdicts.set(text, verdict)
    return verdict
  }
}
