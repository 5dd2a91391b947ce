/** A person under `ou=people`; attributes in order, several values as an array. */
export type PersonEntry = {
  readonly uid: string
  readonly mail?: string
  /** Such as `{ mobile: ['+49…'], phoneNumberVerified: '+49…', oxMobileDevices: '{"phones":[…]}' }`. */
  readonly attributes?: Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>
  /** The relative DN, if it is not `uid=…`: lets two entries have one uid. */
  readonly rdn?: string
}

/** LDIF (RFC 2849) of people in the test directory, to be given to `startSlapd` or `modify`. */
export function personLdif(...people: readonly PersonEntry[]): string {
  return people.map(onePerson).join('\n')
}

function onePerson({ uid, mail, attributes = {}, rdn }: PersonEntry): string {
  const lines = [
    line('dn', `${rdn ?? `uid=${escapeRdn(uid)}`},ou=people,dc=example,dc=com`),
    line('objectClass', 'inetOrgPerson'),
    line('objectClass', 'gluuPerson'),
    line('uid', uid),
    line('cn', rdn?.startsWith('cn=') ? rdn.slice(3) : 'Test Person'),
    line('sn', 'Person'),
    ...(mail === undefined ? [] : [line('mail', mail)]),
  ]
  for (const [name, value] of Object.entries(attributes)) {
    for (const one of Array.isArray(value) ? value : [value]) lines.push(line(name, one))
  }
  return `${lines.join('\n')}\n`
}

/** In base64, so that any byte may be in a value. */
function line(name: string, value: string | Buffer): string {
  return `${name}:: ${Buffer.from(value as string).toString('base64')}`
}

function escapeRdn(value: string): string {
  return value.replaceAll(/[\\,+"<>;=#*() ]/g, (character) => `\\${hex(character)}`)
}

function hex(character: string): string {
  return Buffer.from(character).toString('hex')
}
