import { duration, orNone, size, wholeNumber } from './schemas.ts'
import { defaulted } from './variable.ts'

/** What clients may ask of stepgate, whoever they are. */
export const LIMITS = {
  MAX_HEADER_SIZE: defaulted(size('16KB', '1MB'), '64KB', {
    doc: "Names and values of a request's headers together; more is answered by 431.",
    example: '128KB',
  }),
  MAX_HEADERS: defaulted(wholeNumber(20, 1000), '100', {
    doc: 'Headers of a request; more are answered by 431.',
    example: '200',
  }),
  MAX_URL: defaulted(size('4KB', '256KB'), '16KB', {
    doc: "A request's path with its query; longer ones are answered by 414.",
    example: '32KB',
  }),
  MAX_BODY: defaulted(orNone(size('1KB', '999999GB')), '10GB', {
    doc: 'Content of one request, or `none`; more is answered by 413. It streams and is never held in memory.',
    example: '500MB',
  }),
  RESUME_MAX_BODY: defaulted(size('1KB', '10MB'), '1MB', {
    doc: 'Content of a form that is kept while its person signs in or types a code, and then sent on; of a larger one people are told that it was not sent.',
    example: '5MB',
  }),
  HEADER_TIMEOUT: defaulted(duration('1s', '10m'), '30s', {
    doc: "How long a request's headers may take; after that 408, and the connection ends.",
    example: '10s',
  }),
  BODY_IDLE_TIMEOUT: defaulted(duration('1s', '1h'), '60s', {
    doc: 'How long a body may stand still because of the client: one that it does not go on sending (408), or does not go on reading (its connection is cut). Silence of the application does not count.',
    example: '2m',
  }),
  KEEP_ALIVE_TIMEOUT: defaulted(duration('1s', '1h'), '65s', {
    doc: 'How long a connection may stay open between two requests; longer than that of a balancer in front, which else meets one that just ended.',
    example: '125s',
  }),
  CONNECTIONS_PER_ADDRESS: defaulted(orNone(wholeNumber(1, 1_000_000)), '10000', {
    doc: 'Connections of one client address, of IPv6 one /64, that each process holds open, or `none`; more are cut off. Those of `STEPGATE_TRUSTED_PROXIES` are not counted.',
    example: '1000',
  }),
} as const
