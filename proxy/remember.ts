/** How many texts are remembered. */
const CAPACITY = 1024

/**
 * What `judge` says of a text, remembered unless it is undefined: for what nearly all requests say
 * alike. Bounded, whoever sends the texts: none that is longer than `longest`.
 */
export function remember<Verdict>(
  judge: (text: string) => Verdict,
  longest = 64,
): (text: string) => Verdict {
  const verdicts = new Map<string, Verdict>()
  return (text) => {
    const known = verdicts.get(text)
    if (known !== undefined) return known
    const verdict = judge(text)
    if (verdicts.size >= CAPACITY) verdicts.clear()
    if (text.length <= longest) verdicts.set(text, verdict)
    return verdict
  }
}
