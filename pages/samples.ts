import type { UndeliveredReason } from '../proxy/sms/delivery-report.ts'
import type { Channel, FailedReason, RefusedReason } from '../proxy/sms/sender.ts'
import type { OtpProps } from './otp.ts'
import type { PageName, PageProps } from './page-props.ts'

/** One state of a page. */
export type Sample<Name extends PageName> = {
  readonly state: string
  readonly props: PageProps[Name]
}

const account = { username: 'alice', signOutUrl: '/_stepgate/sign-out' }
const target = { returnTo: '/reports/2026?view=all', maxAge: '900' }

const otp: Omit<OtpProps, 'notice'> = {
  lastDigits: '42',
  codeLength: 6,
  canEnter: true,
  expiresIn: 300,
  resendIn: 30,
  canChangeNumber: true,
  channel: 'sms',
  ways: ['sms', 'call'],
  return: target,
  account,
}
const noCode: typeof otp = { ...otp, canEnter: false, expiresIn: 0, resendIn: 0 }
const called: typeof otp = { ...otp, channel: 'call' }
const CHANNELS: readonly Channel[] = ['sms', 'call']

const REFUSED: readonly RefusedReason[] = [
  'not_a_number',
  'not_mobile',
  'country_not_enabled',
  'number_type',
  'opted_out',
  'not_routable',
  'blocked',
  'not_answered',
]
const LIMITS = ['wait', 'send-limited', 'prefix-limited', 'budget-spent'] as const
const FAILED: readonly FailedReason[] = [
  'credentials',
  'trial_account',
  'sender_not_registered',
  'rate_limited',
  'unavailable',
  'rejected',
]

const BAD_REQUESTS = [
  'address',
  'form',
  'cross-site',
  'method',
  'header-size',
  'url-length',
  'body-size',
  'body-idle',
] as const

const NOT_KEPT = [
  ...(['size', 'cross-site', 'full', 'unavailable', 'body-idle'] as const),
  ...(['address', 'anonymous'] as const),
]

function sendStates(channel: Channel): Sample<'otp'>[] {
  return [
    {
      state: `sending, ${channel}`,
      props: { ...otp, channel, delivery: 'sending', notice: { kind: 'sending', channel } },
    },
    {
      state: `wait, ${channel}`,
      props: { ...otp, resendIn: 28, notice: { kind: 'wait', channel, seconds: 28 } },
    },
    {
      state: `send limited, ${channel}`,
      props: {
        ...noCode,
        resendIn: 3600,
        notice: { kind: 'send-limited', channel, seconds: 3600 },
      },
    },
    {
      state: `prefix limited, ${channel}`,
      props: { ...noCode, notice: { kind: 'prefix-limited', channel, seconds: 80_000 } },
    },
    {
      state: `budget spent, ${channel}`,
      props: { ...noCode, notice: { kind: 'budget-spent', channel, seconds: 30_000 } },
    },
    {
      state: `paused, ${channel}`,
      props: { ...noCode, channel, notice: { kind: 'send-paused', seconds: 12, channel } },
    },
    {
      state: `paused, over, ${channel}`,
      props: {
        ...otp,
        channel,
        ways: ['sms'],
        notice: { kind: 'send-paused', seconds: 0, channel },
      },
    },
    {
      state: `paused, and so is the other way, ${channel}`,
      props: {
        ...otp,
        channel,
        held: CHANNELS,
        notice: { kind: 'send-paused', seconds: 12, channel },
      },
    },
    {
      state: `paused, another number was chosen, ${channel}`,
      props: { ...otp, notice: { kind: 'send-paused', seconds: 12, channel, chosen: '07' } },
    },
    {
      state: `refused, another number was chosen, ${channel}`,
      props: {
        ...otp,
        notice: { kind: 'send-failed', channel, reason: 'not_routable', chosen: '07' },
      },
    },
    ...LIMITS.map((kind) => ({
      state: `${kind}, another number was chosen, ${channel}`,
      props: { ...otp, notice: { kind, channel, seconds: 28, chosen: '07' } },
    })),
    ...REFUSED.map((reason, index) => ({
      state: `refused: ${reason}, ${channel}`,
      props: {
        ...noCode,
        canChangeNumber: index % 2 === 0,
        ways: index % 3 === 0 ? noCode.ways : [channel],
        notice: { kind: 'send-failed' as const, channel, reason },
      },
    })),
    ...FAILED.map((reason) => ({
      state: `failed: ${reason}, ${channel}`,
      props: {
        ...(reason === 'unavailable' ? { ...otp, channel, resendIn: 0 } : noCode),
        notice: { kind: 'send-failed' as const, channel, reason },
      },
    })),
  ]
}

const UNDELIVERED: readonly UndeliveredReason[] = [
  'unreachable',
  'blocked',
  'not_in_service',
  'landline',
  'filtered',
  'fault',
  'opted_out',
  'lost',
  'not_answered',
  'not_connected',
]

function undeliveredStates(reason: UndeliveredReason): Sample<'otp'>[] {
  return [true, false].flatMap((canChangeNumber) =>
    [otp.ways, ['sms'] as const].map((ways) => ({
      state: `undelivered: ${reason}, ${ways.join(' or ')}, ${canChangeNumber}`,
      props: {
        ...otp,
        canChangeNumber,
        ways,
        resendIn: 0,
        delivery: 'failed' as const,
        notice: { kind: 'undelivered' as const, reason },
      },
    })),
  )
}

/** Every state of every page: what tests look at, and what replaced pages are tried with at start. */
export const SAMPLES: { readonly [Name in PageName]: readonly Sample<Name>[] } = {
  otp: [
    {
      state: 'already sent, to the only number',
      props: {
        ...otp,
        canChangeNumber: false,
        ways: ['sms'],
        return: {},
        resendIn: 0,
        notice: { kind: 'already-sent' },
      },
    },
    { state: 'sent', props: { ...otp, notice: { kind: 'sent' } } },
    { state: 'already sent', props: { ...otp, notice: { kind: 'already-sent' } } },
    { state: 'resent', props: { ...otp, resendIn: 60, notice: { kind: 'resent' } } },
    { state: 'wrong', props: { ...otp, notice: { kind: 'wrong', attemptsLeft: 3 } } },
    { state: 'wrong, one left', props: { ...otp, notice: { kind: 'wrong', attemptsLeft: 1 } } },
    { state: 'wrong, none left', props: { ...noCode, notice: { kind: 'wrong', attemptsLeft: 0 } } },
    { state: 'expired', props: { ...noCode, notice: { kind: 'expired' } } },
    { state: 'used up', props: { ...noCode, notice: { kind: 'used-up' } } },
    { state: 'superseded here', props: { ...otp, notice: { kind: 'superseded' } } },
    { state: 'superseded elsewhere', props: { ...noCode, notice: { kind: 'superseded' } } },
    { state: 'none', props: { ...noCode, notice: { kind: 'none' } } },
    { state: 'not a code', props: { ...otp, notice: { kind: 'not-a-code' } } },
    { state: 'calling', props: { ...called, notice: { kind: 'calling' } } },
    { state: 'already called', props: { ...called, notice: { kind: 'already-called' } } },
    {
      state: 'a landline, which is called first',
      props: { ...noCode, ways: ['call', 'sms'], notice: { kind: 'call-first' } },
    },
    ...CHANNELS.flatMap((channel) => sendStates(channel)),
    { state: 'followed', props: { ...otp, delivery: 'sending', notice: { kind: 'sent' } } },
    {
      state: 'followed, wrong',
      props: { ...otp, delivery: 'sending', notice: { kind: 'wrong', attemptsLeft: 3 } },
    },
    { state: 'handed over', props: { ...otp, delivery: 'sent', notice: { kind: 'handed-over' } } },
    {
      state: 'delivered',
      props: { ...otp, delivery: 'delivered', notice: { kind: 'delivered', channel: 'sms' } },
    },
    {
      state: 'call followed',
      props: { ...called, delivery: 'sending', notice: { kind: 'calling' } },
    },
    {
      state: 'call over',
      props: { ...called, delivery: 'delivered', notice: { kind: 'delivered', channel: 'call' } },
    },
    ...UNDELIVERED.flatMap(undeliveredStates),
  ],
  'choose-number': [
    {
      state: 'two numbers',
      props: {
        choices: [
          { id: '0', lastDigits: '42', channel: 'sms' },
          { id: '1', lastDigits: '07', channel: 'call' },
        ],
        return: target,
        account,
      },
    },
    {
      state: 'alike, nothing chosen',
      props: {
        choices: [
          { id: '0', lastDigits: '42', channel: 'sms' },
          { id: '1', lastDigits: '42', channel: 'sms' },
          { id: '2', lastDigits: '07', channel: 'sms' },
        ],
        nothingChosen: true,
        return: target,
        account,
      },
    },
  ],
  'no-number': [{ state: 'none', props: { retryUrl: '/_stepgate/otp', account } }],
  locked: [
    { state: 'wait', props: { kind: 'wait', seconds: 30, retryUrl: '/_stepgate/otp', account } },
    {
      state: 'locked',
      props: { kind: 'locked', seconds: 86_400, retryUrl: '/_stepgate/otp', account },
    },
  ],
  'sign-in-failed': [
    { state: 'expired', props: { reason: 'expired', retryUrl: '/' } },
    { state: 'starting again', props: { reason: 'expired', retryUrl: '/', autoRetry: true } },
    { state: 'other browser', props: { reason: 'other-browser', retryUrl: '/' } },
    {
      state: 'refused',
      props: {
        reason: 'refused',
        providerError: 'access_denied',
        providerDescription: 'The resource owner denied the request.',
        retryUrl: '/',
      },
    },
    { state: 'invalid', props: { reason: 'invalid', retryUrl: '/' } },
    {
      state: 'provider error',
      props: { reason: 'provider-error', providerError: 'server_error', retryUrl: '/' },
    },
    {
      state: 'not fresh',
      props: { reason: 'not-fresh', seconds: 28_800, retryUrl: '/_stepgate/step-up' },
    },
  ],
  denied: [
    { state: 'by a rule, nobody signed in', props: { reason: 'rule' } },
    { state: 'by groups', props: { reason: 'groups', account } },
  ],
  'upstream-down': [
    { state: 'unreachable', props: { kind: 'unreachable', retryUrl: '/reports' } },
    { state: 'timed out after a form', props: { kind: 'timed-out' } },
    { state: 'invalid', props: { kind: 'invalid', retryUrl: '/reports' } },
  ],
  unavailable: (['provider', 'directory', 'store', 'unexpected'] as const).map((reason) => ({
    state: reason,
    props: { reason, retryUrl: '/' },
  })),
  'confirm-sign-out': [{ state: 'asks', props: { username: 'alice', stayUrl: '/' } }],
  'signed-out': [
    { state: 'at the provider too', props: { signInUrl: '/', providerSignedOut: true } },
    { state: 'here only', props: { signInUrl: '/', providerSignedOut: false } },
    {
      state: 'everywhere',
      props: { signInUrl: '/', providerSignedOut: true, everywhere: 'done' },
    },
    {
      state: 'everywhere, later',
      props: { signInUrl: '/', providerSignedOut: false, everywhere: 'later' },
    },
  ],
  'not-found': [{ state: 'nothing', props: {} }],
  'stepped-up': [{ state: 'done', props: {} }],
  'going-on': [
    {
      state: 'to the provider',
      props: { kind: 'sign-in', address: 'https://login.example.com/', keepUrl: '/' },
    },
    { state: 'back', props: { kind: 'application', returnUrl: '/reports/2026?a=b&c' } },
  ],
  'send-on': [
    { state: 'on its way', props: { action: '/reports/2026?a=b&c', id: 'x'.repeat(43) } },
  ],
  'not-sent': [
    ...NOT_KEPT.flatMap((reason) =>
      (['sign-in', 'code'] as const).map((by) => ({
        state: `${reason}, ${by}`,
        props: {
          reason,
          limit: '1MB',
          through: { url: '/_stepgate/sign-in?return_to=/reports', by },
          backUrl: '/reports',
        },
      })),
    ),
    {
      state: 'unsure',
      props: {
        reason: 'unsure',
        through: { url: '/_stepgate/sign-in?return_to=/reports', by: 'sign-in' },
        backUrl: '/reports',
      },
    },
    ...(['sent', 'gone', 'other', 'elsewhere'] as const).map((reason) => ({
      state: reason,
      props: { reason },
    })),
  ],
  'bad-request': BAD_REQUESTS.map((reason) => ({
    state: reason,
    props: { reason },
  })),
}
