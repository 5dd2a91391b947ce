/** Puts a table between the markers of its name; throws `MissingMarkersError` without them. */
export function replaceTable(page: string, name: string, table: string): string {
  const markers = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`] as const
  const [begin, end] = [page.indexOf(markers[0]), page.indexOf(markers[1])]
  if (begin < 0 || end < begin) throw new MissingMarkersError(markers)
  const before = page.slice(0, begin + markers[0].length)
  return `${before}\n\n${table}\n${page.slice(end)}`
}

/** A page that has no place for a table. */
export class MissingMarkersError extends Error {
  readonly code = 'missing_markers'
  constructor([begin, end]: readonly [string, string]) {
    super(`The page has no ${begin} … ${end}`)
    this.name = 'MissingMarkersError'
  }
}
