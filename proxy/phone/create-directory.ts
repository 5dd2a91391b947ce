import type { Config, Secrets } from '../config/config.ts'
import type { Log } from '../log.ts'
import type { PhoneDirectory } from './phone-directory.ts'
import { createClaimsDirectory } from './phone-directory-claims.ts'
import { createLdapDirectory } from './phone-directory-ldap.ts'

/** The directory that the configuration names. */
export function createDirectory(config: Config, secrets: Secrets, log: Log): PhoneDirectory {
  if (config.phoneSource === 'claims') return createClaimsDirectory()
  if (config.ldap === undefined || secrets.ldapBindPassword === undefined) {
    throw new TypeError('numbers come from LDAP, but LDAP is not configured')
  }
  return createLdapDirectory(config.ldap, secrets.ldapBindPassword, config.smsCountries, {
    log: ({ event, ...fields }) => {
      if (event === 'ldap.failed') log.warn('LDAP did not answer as it should', fields)
      else log.debug('LDAP is connected', fields)
    },
  })
}
