import { existsSync } from 'node:fs'

/** What differs between one test's slapd and another's. */
export type SlapdLayout = {
  readonly folder: string
  readonly baseDn: string
  readonly adminDn: string
  readonly adminPassword: string
  readonly bindDn: string
  readonly anonymousRead: boolean
  readonly referral?: string
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string }
}

/** Attributes that only the service account may read. */
const PHONES = 'phoneNumberVerified,oxMobileDevices,mobile,telephoneNumber'

// Gluu's own attributes, shaped as in its schema; the numbers of the OIDs are of no consequence.
const GLUU_SCHEMA = `
attributetype ( 1.3.6.1.4.1.48710.1.3.9001 NAME 'phoneNumberVerified'
  EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.48710.1.3.9002 NAME 'oxMobileDevices'
  EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.48710.1.4.9001 NAME 'gluuPerson' SUP top AUXILIARY
  MAY ( phoneNumberVerified $ oxMobileDevices ) )
`

/** slapd.conf(5) for one mdb database in `folder/data`. */
export function slapdConf(layout: SlapdLayout): string {
  const { folder, tls } = layout
  const schemas = schemaFolder()
  return [
    ...['core', 'cosine', 'inetorgperson'].map((name) => `include ${schemas}/${name}.schema`),
    GLUU_SCHEMA,
    'moduleload back_mdb',
    `pidfile ${folder}/slapd.pid`,
    `argsfile ${folder}/slapd.args`,
    ...(tls ? [`TLSCACertificateFile ${tls.ca}`] : []),
    ...(tls ? [`TLSCertificateFile ${tls.cert}`, `TLSCertificateKeyFile ${tls.key}`] : []),
    ...(layout.referral ? [`referral ${layout.referral}`] : []),
    'database mdb',
    'maxsize 16777216',
    // Data of tests need not survive a power cut, and syncing is slow.
    'dbnosync',
    `suffix "${layout.baseDn}"`,
    `rootdn "${layout.adminDn}"`,
    `rootpw ${layout.adminPassword}`,
    `directory ${folder}/data`,
    'index objectClass,uid,mail eq',
    'access to attrs=userPassword by anonymous auth by * none',
    `access to attrs=${PHONES} by dn.exact="${layout.bindDn}" read by * none`,
    `access to * by dn.exact="${layout.bindDn}" read by anonymous ${
      layout.anonymousRead ? 'read' : 'none'
    } by * none`,
    '',
  ].join('\n')
}

function schemaFolder(): string {
  const found = ['/etc/ldap/schema', '/etc/openldap/schema', '/usr/local/etc/openldap/schema'].find(
    (folder) => existsSync(`${folder}/core.schema`),
  )
  if (!found) throw new Error("OpenLDAP's schema files are not where they usually are")
  return found
}
