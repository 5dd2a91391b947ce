import {
  callForm,
  type DeliveryStep,
  messageForm,
  postCallback,
  type Reportable,
  signCallback,
} from './twilio-callbacks.ts'

/** What was sent, or asked to be called, and where it reports to. */
export type Sent = { readonly sid: string; readonly statusCallback: string | undefined }

/** What becomes of messages and calls after they were taken, told to whoever sent them. */
export type Reports = {
  /** `steps` are told one after another by themselves. */
  add(taken: Reportable, statusCallback: string | null, steps: readonly DeliveryStep[]): void
  /**
   * Tells now, of the newest or of the one with this sid; answers the HTTP status that came back,
   * undefined when no address was given.
   */
  report(step: DeliveryStep, sid?: string): Promise<number | undefined>
  /** Newest first; the last 200 are kept. */
  sent(): readonly Sent[]
}

const KEPT = 200

type Reporting = Sent & { readonly formOf: (step: DeliveryStep) => URLSearchParams }

/** Reports of nothing yet; `authToken` signs them. */
export function createReports(authToken: string): Reports {
  const all: Reporting[] = []

  async function tell(
    { statusCallback: url, formOf }: Reporting,
    step: DeliveryStep,
  ): Promise<number | undefined> {
    if (url === undefined) return undefined
    const form = formOf(step)
    return postCallback(url, form, signCallback(authToken, url, form))
  }

  function follow(reporting: Reporting, [step, ...others]: readonly DeliveryStep[]): void {
    if (step === undefined || reporting.statusCallback === undefined) return
    const post = async () => {
      // Nobody may be there any more; Twilio doesn't ask twice either.
      await tell(reporting, step).catch(() => {})
      follow(reporting, others)
    }
    setTimeout(post, step.after ?? 0).unref()
  }

  return {
    add(taken, statusCallback, steps) {
      const { sid } = taken
      const formOf = (step: DeliveryStep) =>
        'body' in taken ? messageForm(taken, step) : callForm(taken, step)
      const reporting = { sid, statusCallback: statusCallback ?? undefined, formOf }
      all.unshift(reporting)
      if (all.length > KEPT) all.pop()
      follow(reporting, steps)
    },
    async report(step, sid = all[0]?.sid) {
      const reporting = all.find((one) => one.sid === sid)
      return reporting && tell(reporting, step)
    },
    sent: () => all.map(({ sid, statusCallback }) => ({ sid, statusCallback })),
  }
}

/** The same steps at the same pace, but for how they end. */
export function endingWith(
  steps: readonly DeliveryStep[],
  end: Omit<DeliveryStep, 'after'>,
): readonly DeliveryStep[] {
  const last = steps.at(-1)
  return [
    ...steps.slice(0, -1),
    { ...end, ...(last?.after !== undefined && { after: last.after }) },
  ]
}
