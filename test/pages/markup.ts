/** Names of tags and attributes in their order, without any text or value: what escaping must keep. */
export function skeletonOf(markup: string): string {
  const tags = markup.matchAll(/<(\/?[a-z!][\w-]*)((?:\s+[^\s=>"'<]+(?:="[^"]*")?)*)\s*>/gi)
  return [...tags]
    .map(([, name, attributes = '']) => {
      const names = [...attributes.matchAll(/\s([^\s=]+)(?:="[^"]*")?/g)].map(([, own]) => own)
      return [name, ...names].join(' ')
    })
    .join('\n')
}

/** What a person reads: the text of the body, without markup. */
export function textOf(markup: string): string {
  const body = markup.replace(/^[\s\S]*<body>/, '')
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
  return body
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => named[name] ?? '')
    .replace(/\s+/g, ' ')
}
