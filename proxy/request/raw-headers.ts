/** All values of a header in a raw list (name, value, …), in order; `name` in lower case. */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] as string
    if (header.length === name.length && header.toLowerCase() === name) {
      values.push(rawHeaders[i + 1] ?? '')
    }
  }
  return values
}

/** The headers of a raw list whose names are `wanted`, names as they were written. */
export function pickHeaders(
  rawHeaders: readonly string[],
  wanted: (name: string) => boolean,
): string[] {
  const picked: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (wanted(name)) picked.push(name, rawHeaders[i + 1] as string)
  }
  return picked
}
