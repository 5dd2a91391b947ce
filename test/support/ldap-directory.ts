import type { LdapConfig } from '../../proxy/config/config.ts'
import type { Person, PhoneDirectory } from '../../proxy/phone/phone-directory.ts'
import { createLdapDirectory, type LdapEvent } from '../../proxy/phone/phone-directory-ldap.ts'
import type { Slapd } from './slapd.ts'

export type TestDirectory = PhoneDirectory & { readonly events: readonly LdapEvent[] }

export type TestDirectoryOptions = Partial<LdapConfig> & {
  readonly password?: string
  readonly timeout?: number
}

/** The LDAP directory of a test's slapd, as a German company has it set up; closed after `test`. */
export function directoryOf(
  test: { after(cleanUp: () => Promise<void>): unknown },
  slapd: Slapd,
  options: TestDirectoryOptions = {},
): TestDirectory {
  const { password = slapd.bindPassword, timeout = 5000, ...config } = options
  const events: LdapEvent[] = []
  const directory = createLdapDirectory(
    {
      url: slapd.url,
      bindDn: slapd.bindDn,
      baseDn: slapd.baseDn,
      startTls: false,
      userFilter: '(uid={username})',
      phoneAttributes: ['phoneNumberVerified', 'mobile', 'oxMobileDevices'],
      ...config,
    },
    password,
    ['DE'],
    { timeout, log: (event) => events.push(event) },
  )
  test.after(() => directory.close())
  return { ...directory, events }
}

/** Somebody whom the provider calls by this name. */
export function person(username: string, email?: string): Person {
  return { subject: `subject of ${username}`, username, ...(email !== undefined && { email }) }
}
