import * as z from 'zod'
import { parseLdapUrl } from './parse-url.ts'
import { parseUserFilter } from './parse-user-filter.ts'
import { parseWords } from './parse-words.ts'
import { parsedBy } from './parsed.ts'
import { flag, line, matching, oneOf, secretText } from './schemas.ts'
import { defaulted, optional } from './variable.ts'

/** Where people's numbers come from. */
export const PHONE = {
  PHONE_SOURCE: optional(oneOf('ldap', 'claims'), {
    doc: "Where people's numbers come from: `ldap`, or the provider's claims `phone_number` and `phone_number_verified`.",
    defaultNote: '`ldap` if LDAP is set, else `claims`',
    example: 'ldap',
  }),
  LDAP_URL: optional(parsedBy(parseLdapUrl), {
    doc: 'Directory that holds the numbers: `ldap://host:port` or `ldaps://host:port`.',
    defaultNote: 'required with `ldap`',
    example: 'ldaps://ldap.example.com',
  }),
  LDAP_BIND_DN: optional(line(1000), {
    doc: 'Who reads the directory.',
    defaultNote: 'required with `ldap`',
    example: 'cn=stepgate,ou=services,dc=example,dc=com',
  }),
  LDAP_BIND_PASSWORD: optional(secretText, {
    doc: 'Password of that entry.',
    defaultNote: 'required with `ldap`',
    example: 'the-password-of-that-entry',
    secret: true,
  }),
  LDAP_BASE_DN: optional(matching(/^[^=]+=.+$/, 'it must be a DN'), {
    doc: 'Where the search for people begins, with everything below it.',
    defaultNote: 'required with `ldap`',
    example: 'ou=people,dc=example,dc=com',
  }),
  LDAP_STARTTLS: defaulted(flag, 'false', {
    doc: 'Whether an `ldap://` connection is upgraded to TLS before the bind.',
    example: 'true',
  }),
  LDAP_CA_FILE: optional(z.string(), {
    doc: "PEM file with the certificate authority of the directory's certificate.",
    example: '/etc/ssl/certs/company-ca.pem',
  }),
  LDAP_USER_FILTER: defaulted(parsedBy(parseUserFilter), '(uid={username})', {
    doc: 'Finds the one entry of a person, by `{username}`, `{sub}` or `{email}`; values are escaped.',
    example: "'(&(objectClass=person)(uid={username}))'",
  }),
  LDAP_PHONE_ATTRIBUTE: defaulted(
    parsedBy((text) =>
      parseWords(text, /^([a-z][a-z\d-]*|\d+(\.\d+)+)(;[a-z\d-]+)*$/i, 'attribute name'),
    ),
    'phoneNumberVerified',
    {
      doc: "Attributes that hold the number, in order: the first that has one counts. Gluu's `mobile`, `telephoneNumber` and `oxMobileDevices` (JSON) are read too.",
      example: 'phoneNumberVerified,mobile',
    },
  ),
} as const
